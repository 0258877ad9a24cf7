import Head from "@docusaurus/Head";
import useBaseUrl from "@docusaurus/useBaseUrl";
import type { Message } from "@qkv/page";
import { useEffect, useState, type ReactNode } from "react";
import { Live } from "../live/live";

/** One example alone, for a frame on somebody's page: #example=NAME, with code and values as every link has them. */
export default function Embed(): ReactNode {
  const base = useBaseUrl("/");
  const [shown, setShown] = useState<{ name: string; code: string; output: Message[] }>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    const name = new URLSearchParams(location.hash.slice(1)).get("example") ?? "";
    if (!/^[\w-]+$/.test(name)) {
      setFailure("This frame names no example: its address ends in #example=NAME.");
      return;
    }
    fetch(new URL(`live/examples/${name}.json`, new URL(base, location.href)))
      .then(async (response) => {
        if (!response.ok) throw new Error(`There is no example ${name} here.`);
        setShown({ name, ...((await response.json()) as { code: string; output: Message[] }) });
      })
      .catch((error: Error) => setFailure(error.message));
  }, [base]);
  return (
    <main style={{ padding: "0 0.5rem" }}>
      <Head>
        <title>A live example of qkv</title>
        <meta name="robots" content="noindex" />
      </Head>
      <h1 hidden>A live example of qkv</h1>
      {failure && <p role="alert">{failure}</p>}
      {shown && <Live example={shown.name} code={shown.code} output={shown.output} />}
    </main>
  );
}

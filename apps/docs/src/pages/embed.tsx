import Head from "@docusaurus/Head";
import useBaseUrl from "@docusaurus/useBaseUrl";
import type { Message } from "@qkv/page";
import { useEffect, useState, type ReactNode } from "react";
import { Figure } from "../figures/figure";
import { figures, type FigureName } from "../figures/list";
import { Live } from "../live/live";
import type { Unfit } from "../live/live-device";

/** An example as written by the build. */
type Filled = { code: string; output: Message[]; unfit: Unfit };

/**
 * A single example or figure, for an iframe on another site: `#example=NAME`, with code and values as in other links, or
 * `?figure=NAME`, with its state as in other addresses.
 */
export default function Embed(): ReactNode {
  const base = useBaseUrl("/");
  const [shown, setShown] = useState<{ name: string } & Filled>();
  const [figure, setFigure] = useState<FigureName>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    const asked = new URLSearchParams(location.search).get("figure");
    if (asked !== null) {
      if (Object.hasOwn(figures, asked)) setFigure(asked as FigureName);
      else setFailure(`There is no figure ${asked} here. There are: ${Object.keys(figures).join(", ")}.`);
      return;
    }
    const name = new URLSearchParams(location.hash.slice(1)).get("example") ?? "";
    if (!/^[\w-]+$/.test(name)) {
      setFailure("This frame names nothing to show: its address ends in #example=NAME or ?figure=NAME.");
      return;
    }
    fetch(new URL(`live/examples/${name}.json`, new URL(base, location.href)))
      .then(async (response) => {
        if (!response.ok) throw new Error(`There is no example ${name} here.`);
        setShown({ name, ...((await response.json()) as Filled) });
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
      {figure && <Figure name={figure} />}
      {shown && <Live example={shown.name} code={shown.code} output={shown.output} unfit={shown.unfit} />}
    </main>
  );
}

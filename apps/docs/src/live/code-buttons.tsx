import { useState, type ReactNode } from "react";
import styles from "./live.module.css";

/** Copies an example: its code, a link to its current state, or an iframe for another page. */
export function CodeButtons(texts: {
  code: () => string;
  link: () => string;
  frame: () => string;
}): ReactNode {
  const [labels, setLabels] = useState<Partial<Record<keyof typeof texts, string>>>({});
  const copy = async (which: keyof typeof texts) => {
    const result = await navigator.clipboard.writeText(texts[which]()).then(
      () => "Copied",
      () => "Not allowed by this browser",
    );
    setLabels({ [which]: result });
    setTimeout(() => setLabels({}), 2000);
  };
  return (
    <>
      <button type="button" onClick={() => copy("code")} title="Copy the code">
        {labels.code ?? "Copy"}
      </button>
      <button
        type="button"
        onClick={() => copy("link")}
        title="Copy a link to this example, as you edited it"
      >
        {labels.link ?? "Share"}
      </button>
      <button
        type="button"
        className={styles.embed}
        onClick={() => copy("frame")}
        title="Copy an iframe with this example, as you edited it"
      >
        {labels.frame ?? "Embed"}
      </button>
    </>
  );
}

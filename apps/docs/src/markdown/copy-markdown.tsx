import { useState, type ReactNode } from "react";
import { markdownAddress } from "./markdown-address";
import styles from "./copy-markdown.module.css";

const label = "Copy as Markdown";

/** A button that copies the page as Markdown, for an editor or an assistant, and a link to that text. */
export function CopyMarkdown(): ReactNode {
  const [says, setSays] = useState(label);
  const copy = async () => {
    try {
      const response = await fetch(markdownAddress(location.href));
      if (!response.ok) throw new Error(`${response.status}`);
      await navigator.clipboard.writeText(await response.text());
      setSays("Copied");
    } catch {
      setSays("Not copied");
    }
    setTimeout(() => setSays(label), 2000);
  };
  return (
    <div className={styles.bar}>
      <button type="button" className={styles.button} onClick={() => void copy()}>
        <span aria-live="polite">{says}</span>
      </button>
      <a className={styles.link} href="index.md">
        View
      </a>
    </div>
  );
}

import type { ReactNode } from "react";
import { importLines, importsLabel } from "./import-lines";
import styles from "./live.module.css";

/** Numbered lines of code with folded imports. `lines` may be highlighted; `code` is their text. */
export function CodeLines({ code, lines }: { code: string; lines: readonly ReactNode[] }): ReactNode {
  const folded = importLines(code);
  const shown = (from: number, to: number) =>
    lines.slice(from, to).map((line, i) => (
      <div key={i} className={styles.staticLine}>
        {line}
      </div>
    ));
  return (
    <div className={styles.staticCode} tabIndex={0} role="group" aria-label="Code">
      {folded > 0 && (
        <details>
          <summary>{importsLabel(code)}</summary>
          <pre style={{ counterReset: "line" }}>{shown(0, folded)}</pre>
        </details>
      )}
      <pre style={{ counterReset: `line ${folded}` }}>{shown(folded, lines.length)}</pre>
    </div>
  );
}

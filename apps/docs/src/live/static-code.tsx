import { Highlight } from "prism-react-renderer";
import type { ReactNode } from "react";
import { codeTheme } from "./code-theme";
import { importLines, importsLabel } from "./import-lines";
import { meaningful, meaningOf } from "./meaningful-names";
import styles from "./live.module.css";

/**
 * The code to read, its imports folded: an editor takes its place when the reader reaches for it, if JavaScript runs.
 */
export function StaticCode({ code }: { code: string }): ReactNode {
  const text = code.trimEnd();
  const folded = importLines(text);
  return (
    <Highlight code={text} language="typescript" theme={codeTheme}>
      {({ tokens, getTokenProps }) => {
        const lines = (from: number, to: number) =>
          tokens.slice(from, to).map((line, i) => (
            <div key={i} className={styles.staticLine}>
              {line.map((token, j) => (
                <span key={j} style={getTokenProps({ token }).style}>
                  {withColors(token.content)}
                </span>
              ))}
            </div>
          ));
        return (
          <div className={styles.staticCode} tabIndex={0} role="group" aria-label="Code">
            {folded > 0 && (
              <details>
                <summary>{importsLabel(text)}</summary>
                <pre style={{ counterReset: "line" }}>{lines(0, folded)}</pre>
              </details>
            )}
            <pre style={{ counterReset: `line ${folded}` }}>{lines(folded, tokens.length)}</pre>
          </div>
        );
      }}
    </Highlight>
  );
}

function withColors(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let last = 0;
  for (const match of text.matchAll(meaningful)) {
    parts.push(
      text.slice(last, match.index),
      <span key={match.index} className={`means-${meaningOf(match[0])}`}>
        {match[0]}
      </span>,
    );
    last = match.index + match[0].length;
  }
  return [...parts, text.slice(last)];
}

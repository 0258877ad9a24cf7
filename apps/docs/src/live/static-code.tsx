import { Highlight } from "prism-react-renderer";
import type { ReactNode } from "react";
import { codeTheme } from "./code-theme";
import { meaningful, meaningOf } from "./meaningful-names";
import styles from "./live.module.css";

/** The code to read: an editor takes its place when the reader reaches for it, if JavaScript runs. */
export function StaticCode({ code }: { code: string }): ReactNode {
  return (
    <Highlight code={code.trimEnd()} language="typescript" theme={codeTheme}>
      {({ tokens, getTokenProps }) => (
        <pre className={styles.staticCode} tabIndex={0}>
          {tokens.map((line, i) => (
            <div key={i} className={styles.staticLine}>
              {line.map((token, j) => (
                <span key={j} style={getTokenProps({ token }).style}>
                  {withColors(token.content)}
                </span>
              ))}
            </div>
          ))}
        </pre>
      )}
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

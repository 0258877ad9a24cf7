import { Highlight } from "prism-react-renderer";
import { Fragment, type CSSProperties, type ReactNode } from "react";
import { CodeLines } from "./code-lines";
import { codeTheme } from "./code-theme";
import { meaningful, meaningOf } from "./meaningful-names";

/** Static code: an editor replaces it when the reader uses it, if JavaScript runs. */
export function StaticCode({ code }: { code: string }): ReactNode {
  const text = code.trimEnd();
  return (
    <Highlight code={text} language="typescript" theme={codeTheme}>
      {({ tokens, getTokenProps }) => (
        <CodeLines
          code={text}
          lines={tokens.map((line) =>
            runs(line.map((token) => ({ ...token, style: getTokenProps({ token }).style }))).map(
              ({ content, style }, i) => (
                <Fragment key={i}>
                  {style ? <span style={style}>{withColors(content)}</span> : withColors(content)}
                </Fragment>
              ),
            ),
          )}
        />
      )}
    </Highlight>
  );
}

type Run = { content: string; style?: CSSProperties | undefined; empty?: boolean | undefined };

/** Merges adjacent tokens without a color: each would be an element of the page. */
function runs(pieces: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const { content, style, empty } of pieces) {
    const last = joined.at(-1);
    if (empty || content === "") continue;
    if (last && !last.style && !style) last.content += content;
    else joined.push({ content, style });
  }
  return joined;
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

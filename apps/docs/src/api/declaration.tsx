import Link from "@docusaurus/Link";
import { Highlight } from "prism-react-renderer";
import type { ReactNode } from "react";
import { codeTheme } from "../live/code-theme";
import styles from "./declaration.module.css";

type CodeLink = readonly [offset: number, name: string, address: string];

export type DeclarationProps = { code: string; links: readonly CodeLink[] };

/** A declaration of an API page, in which names of types link to their declarations. */
export function Declaration({ code, links }: DeclarationProps): ReactNode {
  return (
    <Highlight code={code} language="typescript" theme={codeTheme}>
      {({ tokens, getTokenProps }) => {
        let offset = 0;
        return (
          <pre className={styles.declaration} data-declaration tabIndex={0}>
            {tokens.map((line, i) => {
              const parts = line.map((token, j) => {
                const text = token.empty ? "" : token.content;
                const start = offset;
                offset += text.length;
                return (
                  <span key={j} style={getTokenProps({ token }).style}>
                    {withLinks(text, start, links)}
                  </span>
                );
              });
              offset += 1;
              return [i > 0 && "\n", ...parts];
            })}
          </pre>
        );
      }}
    </Highlight>
  );
}

/** A part of the code that begins at `start`, with the links in it. */
function withLinks(text: string, start: number, links: readonly CodeLink[]): ReactNode[] {
  const parts: ReactNode[] = [];
  let last = 0;
  for (const [offset, name, address] of links) {
    const at = offset - start;
    if (at < 0 || at + name.length > text.length) continue;
    parts.push(
      text.slice(last, at),
      <Link key={offset} to={address}>
        {name}
      </Link>,
    );
    last = at + name.length;
  }
  return [...parts, text.slice(last)];
}

import { useCodeBlockContext } from "@docusaurus/theme-common/internal";
import type { Props } from "@theme/CodeBlock/Content";
import { lazy, type ComponentType, type ReactNode } from "react";
import { ServerHtml } from "../../../server-html";

const WithColors: ComponentType<Props> = lazy(() => import("./highlighted"));

/** The text of a block of code: Prism is loaded where the page did not come with the colors. */
export default function CodeBlockContent(props: Props): ReactNode {
  const { metadata, wordWrap } = useCodeBlockContext();
  return (
    // The button for word wrap measures this text, which React leaves alone where the page came with it.
    <div ref={(place) => void (wordWrap.codeBlockRef.current ??= place?.querySelector("pre") ?? null)}>
      <ServerHtml
        render={() => <WithColors {...props} />}
        meanwhile={
          <pre>
            <code>{metadata.code}</code>
          </pre>
        }
      />
    </div>
  );
}

import { useCodeBlockContext } from "@docusaurus/theme-common/internal";
import type { Props } from "@theme/CodeBlock/Content";
import { lazy, type ComponentType, type ReactNode } from "react";
import { ServerHtml } from "../../../server-html";

const WithColors: ComponentType<Props> = lazy(() => import("./highlighted"));

/** The text of a code block. Prism is only loaded if the server-rendered page has no highlighted code. */
export default function CodeBlockContent(props: Props): ReactNode {
  const { metadata, wordWrap } = useCodeBlockContext();
  return (
    // The button for word wrap measures this element, which React does not replace during hydration.
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

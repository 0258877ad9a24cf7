import Content from "@theme-original/DocItem/Content";
import type { ComponentProps, ReactNode } from "react";
import { CopyMarkdown } from "../../../markdown/copy-markdown";

/** The text of a page, with its Markdown above. */
export default function DocItemContent(props: ComponentProps<typeof Content>): ReactNode {
  return (
    <>
      <CopyMarkdown />
      <Content {...props} />
    </>
  );
}

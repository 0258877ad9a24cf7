import Content from "@theme-original/DocItem/Content";
import type { ComponentProps, ReactNode } from "react";
import { CopyMarkdown } from "../../../markdown/copy-markdown";

/** The content of a page, below a button for its Markdown. */
export default function DocItemContent(props: ComponentProps<typeof Content>): ReactNode {
  return (
    <>
      <CopyMarkdown />
      <Content {...props} />
    </>
  );
}

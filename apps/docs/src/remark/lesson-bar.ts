import { visit } from "unist-util-visit";

/** Puts `<LessonBar words={…} />` below the title of a page: how many words it has is known when it is built. */
export default function lessonBar() {
  return (tree: { children: Node[] }): void => {
    let words = 0;
    visit(tree as never, "text", ({ value }: { value: string }) => {
      words += value.split(/\s+/).filter(Boolean).length;
    });
    // Docusaurus puts the title into a header of its own before plugins of pages run.
    const isTitle = ({ type, depth }: Node) => type === "heading" && depth === 1;
    const at = tree.children.findIndex((node) => isTitle(node) || node.children?.some(isTitle));
    if (at < 0) return;
    tree.children.splice(at + 1, 0, {
      type: "mdxJsxFlowElement",
      name: "LessonBar",
      attributes: [
        {
          type: "mdxJsxAttribute",
          name: "words",
          value: {
            type: "mdxJsxAttributeValueExpression",
            value: String(words),
            data: {
              estree: {
                type: "Program",
                sourceType: "module",
                body: [{ type: "ExpressionStatement", expression: { type: "Literal", value: words } }],
              },
            },
          },
        },
      ],
      children: [],
    } as Node);
  };
}

type Node = { type: string; depth?: number; children?: Node[] };

import { visit } from "unist-util-visit";

/**
 * Inserts `<LessonBar words={…} code={…} />` below the title of a page: the number of its words, and whether it has live code,
 * determined in the build.
 */
export default function lessonBar() {
  return (tree: { children: Node[] }): void => {
    let words = 0;
    visit(tree as never, "text", ({ value }: { value: string }) => {
      words += value.split(/\s+/).filter(Boolean).length;
    });
    let code = false;
    visit(tree as never, "mdxJsxFlowElement", ({ name }: { name: string }) => {
      code ||= name === "Live";
    });
    // Docusaurus moves the title into a header before plugins run.
    const isTitle = ({ type, depth }: Node) => type === "heading" && depth === 1;
    const at = tree.children.findIndex((node) => isTitle(node) || node.children?.some(isTitle));
    if (at < 0) return;
    tree.children.splice(at + 1, 0, {
      type: "mdxJsxFlowElement",
      name: "LessonBar",
      attributes: [expression("words", words), expression("code", code)],
      children: [],
    } as Node);
  };
}

function expression(name: string, value: number | boolean): object {
  const statement = { type: "ExpressionStatement", expression: { type: "Literal", value } };
  const estree = { type: "Program", sourceType: "module", body: [statement] };
  return {
    type: "mdxJsxAttribute",
    name,
    value: { type: "mdxJsxAttributeValueExpression", value: String(value), data: { estree } },
  };
}

type Node = { type: string; depth?: number; children?: Node[] };

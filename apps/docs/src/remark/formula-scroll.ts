import { visit } from "unist-util-visit";

/** Makes displayed formulas focusable, since they scroll if they are wider than the page. */
export default function formulaScroll() {
  return (tree: unknown): void =>
    visit(tree as never, "element", ({ properties }: { properties: Record<string, unknown> }) => {
      if (([] as unknown[]).concat(properties.className ?? []).includes("katex-display"))
        properties.tabIndex = 0;
    });
}

import { visit } from "unist-util-visit";

/** Lets the keyboard reach a displayed formula, which scrolls where it is wider than the page. */
export default function formulaScroll() {
  return (tree: unknown): void =>
    visit(tree as never, "element", ({ properties }: { properties: Record<string, unknown> }) => {
      if (([] as unknown[]).concat(properties.className ?? []).includes("katex-display"))
        properties.tabIndex = 0;
    });
}

import { SKIP, visit } from "unist-util-visit";
import { terms } from "../../../../scripts/glossary.mjs";

/** Shows the meaning of a glossary term at its first use on a page: `<Term meaning="…">`. */
export default function glossaryTerms() {
  return (tree: Node): void => {
    const used = new Set<string>();
    visit(tree as never, (node: Node, index: number | undefined, parent: Node | undefined) => {
      if (!isProse(node)) return SKIP;
      if (node.type !== "text" || index === undefined || !parent) return;
      const parts = markTerms(node.value!, used);
      if (parts.length === 1) return;
      parent.children!.splice(index, 1, ...parts);
      return [SKIP, index + parts.length];
    });
  };
}

/**
 * Node types without terms: headings, links, code and components. Terms are marked in paragraphs, lists and their
 * children.
 */
const isProse = ({ type }: Node) =>
  ["root", "paragraph", "list", "listItem", "emphasis", "strong", "text", "mdxJsxFlowElement"].includes(type);

/** Meanings by term, in lower case. A row of the glossary may contain several terms. */
const meanings = new Map(
  terms().flatMap(({ term, meaning }) =>
    term.split(", ").map((one) => [one.toLowerCase(), plain(meaning)] as const),
  ),
);
const anyTerm = new RegExp(
  `(?<![\\w-])(${[...meanings.keys()]
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join("|")})s?(?![\\w-])`,
  "giu",
);

/** Splits text, with an element for each term that is new on the page. */
export function markTerms(text: string, used: Set<string>): Node[] {
  const parts: Node[] = [];
  let last = 0;
  for (const { 0: found, 1: named, index } of text.matchAll(anyTerm)) {
    const term = named!.toLowerCase();
    if (used.has(term)) continue;
    used.add(term);
    if (index > last) parts.push({ type: "text", value: text.slice(last, index) });
    parts.push({
      type: "mdxJsxTextElement",
      name: "Term",
      attributes: [
        { type: "mdxJsxAttribute", name: "id", value: `term-${term.replace(/\W+/g, "-")}` },
        { type: "mdxJsxAttribute", name: "meaning", value: meanings.get(term)! },
      ],
      children: [{ type: "text", value: found }],
    });
    last = index + found.length;
  }
  if (last < text.length || parts.length === 0) parts.push({ type: "text", value: text.slice(last) });
  return parts;
}

/** A meaning as plain text, without Markdown and TeX. */
function plain(meaning: string): string {
  return meaning
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .replace(/\$([^$]*)\$/g, (_, formula: string) => formula.replace(/[{}\\]/g, ""))
    .replace(/[`*]/g, "");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

type Node = { type: string; value?: string; name?: string; attributes?: object[]; children?: Node[] };

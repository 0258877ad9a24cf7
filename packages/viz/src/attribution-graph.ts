import { checks, type Checks } from "@qkv/core";
import { checkLabels, checkList, checkObject, checkTexts } from "./check-data.js";
import { fittedLabel } from "./fitted-label.js";
import { minusPath } from "./map-cells.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { joinSvg, svg } from "./svg.js";
import { visibleToken } from "./visible-token.js";

/** A source of a score, or of another source, as `scoreGraph` of `@qkv/lens` returns it. */
export type AttributionNode = {
  /** An integer, 0 or more, unique among the nodes. */
  readonly id: number;
  /** Id of the node that reads it. Absent if the score itself does. */
  readonly parent?: number | undefined;
  /** Its name: `embedding`, `layers.0.heads.1`. */
  readonly name: string;
  /** The side of the dot product that it contributes to. Default: the score has one side. */
  readonly side?: "query" | "key" | undefined;
  /** Position of the row that it was written to. */
  readonly position?: number | undefined;
  /** Its contribution to the score. */
  readonly value: number;
};

/** A score and its sources. */
export type Attribution = {
  /** The score: the sum of the nodes of each side without a parent. */
  readonly dot: number;
  /** Every parent comes before its children. */
  readonly nodes: readonly AttributionNode[];
};

/** Options of {@link attributionGraph}. */
export type AttributionGraphOptions = {
  /** Tokens of the text, by position. Default: positions are written without their tokens. */
  tokens?: readonly string[];
  /** Ids of the nodes whose sources are shown. Default: none, so the sources of the score alone are. */
  expanded?: readonly number[];
  /** The id of the node that was chosen, which gets a frame. Default: none. */
  selected?: number | undefined;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const maxNodes = 2000;
const [rowHeight, boxHeight, gap] = [26, 20, 56]; // pixels

/**
 * Draws the sources of a score as a graph, from the score on the left to its sources on the right: first those of the query and of
 * the key, then, for each expanded node, its own sources. The width and ink of a line is a part of the
 * score, purple above 0, orange with a minus below. A node with sources has a `+`, and a `−` where they are shown.
 *
 * As `<qkv-attribution-graph>`, a click or Enter on a node shows or hides its sources.
 *
 * @param attribution - A score and its nodes, as `scoreGraph` of `@qkv/lens` returns them.
 * @returns SVG text.
 * @throws {ArgumentError} If a parent does not come before its child, a value is not finite, an id is of no node, there are more than
 *   2,000 nodes, or there is no token for a position.
 *
 * @example
 * ```ts
 * import { attributionGraph } from "@qkv/viz";
 *
 * const nodes = [
 *   { id: 0, name: "layers.0.heads.1", side: "key", position: 1, value: 2 },
 *   { id: 1, parent: 0, name: "embedding", side: "key", position: 0, value: 2 },
 * ] as const;
 * const svg = attributionGraph({ dot: 2, nodes }, { tokens: ["The", " cat"], expanded: [0] });
 * svg.includes("key, layers.0.heads.1, position 1 “ cat”, embedding, position 0 “The”: 2"); // => true
 * ```
 */
export function attributionGraph(attribution: Attribution, options: AttributionGraphOptions = {}): string {
  const check = checks("attributionGraph");
  const {
    tokens,
    expanded = [],
    selected,
    title,
  } = check.options(options, ["tokens", "expanded", "selected", "title"]);
  checkTexts(check, { title });
  checkAttribution(check, attribution, tokens);
  const { dot, nodes } = attribution;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const isNode = (id: unknown) => byId.has(id as number);
  check.list({ expanded }, "ids of nodes", isNode, "give the ids of some `nodes`.");
  if (selected !== undefined) check.each({ selected }, isNode, "the id of a node", "leave it out for none.");

  const childNodes = (id: number | undefined) => nodes.filter(({ parent }) => parent === id);
  const label = ({ name, position }: AttributionNode) => {
    if (position === undefined) return name;
    return `${name} · ${tokens ? `${visibleToken(tokens[position]!)} (${position})` : position}`;
  };
  const nodeText = (node: AttributionNode): string => {
    const { name, position, side, parent } = node;
    const place =
      position === undefined ? "" : `, position ${position}${tokens ? ` “${tokens[position]!}”` : ""}`;
    const before = parent === undefined ? side : nodeText(byId.get(parent)!);
    return `${before === undefined ? "" : `${before}, `}${name}${place}`;
  };

  // Each leaf has a row; a parent is halfway between its first and its last child.
  type Placed = { node: AttributionNode; depth: number; row: number; children: readonly Placed[] };
  let rows = 0;
  const placed = (node: AttributionNode, depth: number): Placed => {
    const shown = expanded.includes(node.id) ? childNodes(node.id) : [];
    const children = shown.map((child) => placed(child, depth + 1));
    const row = children.length > 0 ? (children[0]!.row + children.at(-1)!.row) / 2 : rows++;
    return { node, depth, row, children };
  };
  const sides = (["query", "key", undefined] as const)
    .map((side) => ({ side, roots: childNodes(undefined).filter((node) => node.side === side) }))
    .filter(({ roots }) => roots.length > 0)
    .map(({ side, roots }) => {
      const start = rows;
      if (side !== undefined) rows++;
      return { side, start, roots: roots.map((node) => placed(node, 0)) };
    });
  const withDescendants = (one: Placed): Placed[] => [one, ...one.children.flatMap(withDescendants)];
  const placedNodes = sides.flatMap(({ roots }) => roots.flatMap(withDescendants));
  const depths = Math.max(0, ...placedNodes.map(({ depth }) => depth)) + 1;
  const widths = Array.from({ length: depths }, (_, depth) =>
    Math.min(
      320,
      34 +
        labelWidth(
          placedNodes
            .filter((one) => one.depth === depth)
            .map(({ node }) => `${label(node)} ${numberText(node.value)}`),
        ),
    ),
  );
  const rootLabel = `score ${numberText(dot)}`;
  const rootWidth = labelWidth([rootLabel]) + 16;
  const left = 12;
  const top = title ? 40 : 16;
  const columns = widths.map(
    (_, depth) =>
      left + rootWidth + gap + widths.slice(0, depth).reduce((sum, width) => sum + width + gap, 0),
  );
  const middle = (row: number) => top + row * rowHeight + boxHeight / 2;
  const rootY = middle(Math.max(0, rows - 1) / 2);
  const max = placedNodes.reduce((largest, { node }) => Math.max(largest, Math.abs(node.value)), 0) || 1;
  const ink = (value: number) => Math.min(1, Math.abs(value) / max);

  const link = (fromX: number, fromY: number, { node, depth, row }: Placed) => {
    const [toX, toY] = [columns[depth]!, middle(row)];
    const bend = px(fromX + (toX - fromX) / 2);
    const path = `M${px(fromX)} ${px(fromY)}C${bend} ${px(fromY)} ${bend} ${px(toY)} ${px(toX)} ${px(toY)}`;
    return svg`<path d="${path}" fill="none" pointer-events="none" stroke-width="${px(1 + 5 * ink(node.value))}" stroke-opacity="${(0.2 + 0.6 * ink(node.value)).toFixed(3)}" ${stroke(node.value < 0 ? "negative" : "weight")}/>`;
  };
  const links = sides.flatMap(({ roots }) => [
    ...roots.map((one) => link(left + rootWidth, rootY, one)),
    ...roots
      .flatMap(withDescendants)
      .flatMap((one) =>
        one.children.map((child) => link(columns[one.depth]! + widths[one.depth]!, middle(one.row), child)),
      ),
  ]);
  const boxes = placedNodes.map(({ node, depth, row }) => {
    const [x, y, width] = [columns[depth]!, middle(row) - boxHeight / 2, widths[depth]!];
    const sources = childNodes(node.id).length;
    const isOpen = expanded.includes(node.id);
    const at = svg`x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${boxHeight}"`;
    const choose = sources > 0 ? svg` data-qkv-node="${node.id}"` : "";
    const sign = sources > 0 ? `${isOpen ? "−" : "+"} ` : "";
    const frame =
      selected === node.id
        ? svg`<rect data-qkv-selected="" ${at} rx="4" fill="none" pointer-events="none" stroke-width="3" ${stroke("query")}/>`
        : "";
    return joinSvg([
      svg`<rect ${at} rx="4" pointer-events="none" ${fill("paper")}/>`,
      svg`<rect${choose} ${at} rx="4" fill-opacity="${(0.4 * ink(node.value)).toFixed(3)}" ${fill(node.value < 0 ? "negative" : "weight")}><title>${nodeText(node)}: ${numberText(node.value)}</title></rect>`,
      svg`<text x="${px(x + 8)}" y="${px(y + 14)}" pointer-events="none" ${fill("text")}>${sign}${fittedLabel(label(node), width - 26 - labelWidth([numberText(node.value)]))}</text>`,
      svg`<text x="${px(x + width - 6)}" y="${px(y + 14)}" text-anchor="end" pointer-events="none" ${fill("text")}>${numberText(node.value)}</text>`,
      ...(node.value < 0 && ink(node.value) > 0.05
        ? [svg`<path d="${minusPath(x - 14, y + 4, 12)}" pointer-events="none" ${stroke("text")}/>`]
        : []),
      svg`${frame}`,
    ]);
  });
  const names = sides.flatMap(({ side, start }) =>
    side === undefined
      ? []
      : [
          svg`<text x="${px(columns[0]!)}" y="${px(middle(start) + 4)}" font-weight="600" ${fill(`${side}-text`)}>${side}</text>`,
        ],
  );
  const rootPlace = svg`x="${left}" y="${px(rootY - boxHeight / 2)}" width="${px(rootWidth)}" height="${boxHeight}" rx="4"`;
  const root = joinSvg([
    svg`<rect ${rootPlace} ${fill("paper")}/><rect ${rootPlace} fill="none" ${stroke("quiet")}/>`,
    svg`<text x="${px(left + rootWidth / 2)}" y="${px(rootY + 4)}" text-anchor="middle" font-weight="600" ${fill("text")}>${rootLabel}</text>`,
  ]);
  const hidden = nodes.length - placedNodes.length;
  return picture({
    width: Math.max(columns.at(-1)! + widths.at(-1)! + 12, titleWidth(title)),
    height: top + Math.max(1, rows) * rowHeight + 12,
    title: title ?? "Sources of a score",
    description:
      `A score of ${numberText(dot)} and its sources` +
      (sides.length > 1
        ? ", on the side of the query and on that of the key, each of which sums to it"
        : "") +
      `. ${placedNodes.length} of ${nodes.length} nodes are shown.` +
      (hidden > 0 ? " A node with a plus has sources that are not." : "") +
      (selected === undefined ? "" : ` ${nodeText(byId.get(selected)!)} is selected.`),
    body: [...heading(title), ...links, root, ...names, ...boxes],
  });
}

function checkAttribution(
  check: Checks,
  attribution: Attribution,
  tokens: readonly string[] | undefined,
): void {
  checkObject(check, { attribution }, "an object { dot, nodes }");
  // `scoreGraph` may return more fields, which are ignored.
  const { dot, nodes } = attribution;
  const fix = "give what `scoreGraph` of @qkv/lens returned.";
  check.finite({ "attribution.dot": dot }, { fix });
  checkList(check, "attribution.nodes", nodes, "a list of nodes");
  check.each(
    { "attribution.nodes": nodes.length },
    (length) => (length as number) <= maxNodes,
    `${maxNodes} nodes or fewer`,
    "raise the threshold of the graph.",
  );
  if (tokens !== undefined) {
    checkList(check, "tokens", tokens, "a list of texts");
    checkLabels(check, { tokens }, tokens.length);
  }
  const known = new Set<number>();
  nodes.forEach((node, i) => {
    const at = `attribution.nodes[${i}]`;
    checkObject(check, { [at]: node }, "a node { id, name, value }");
    const { id, parent, name, side, position, value } = node;
    check.whole({ [`${at}.id`]: id }, { min: 0, fix });
    check.each({ [`${at}.id`]: id }, () => !known.has(id), "an id that no other node has", fix);
    check.each(
      { [`${at}.parent`]: parent },
      () => parent === undefined || known.has(parent),
      "the id of a node before it",
      fix,
    );
    known.add(id);
    check.type({ [`${at}.name`]: name }, "string", fix);
    if (side !== undefined) check.oneOf({ [`${at}.side`]: side }, ["query", "key"], fix);
    const positionLimit = tokens && { max: tokens.length - 1 };
    if (position !== undefined) check.whole({ [`${at}.position`]: position }, { min: 0, ...positionLimit });
    check.finite({ [`${at}.value`]: value }, { fix });
  });
}

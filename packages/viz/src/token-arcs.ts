import { checks } from "@qkv/core";
import { cellFrame, checkSelectedWeight, type SelectedWeight } from "./cell-frame.js";
import { axisLength, checkLabels, checkList, checkTexts, type PictureData } from "./check-data.js";
import { checkWeights } from "./check-weights.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { joinSvg, svg } from "./svg.js";
import { visibleToken } from "./visible-token.js";

/** Options of {@link tokenArcs}. */
export type TokenArcsOptions = {
  /** One label for each key; the queries are the last `T` of them. */
  labels: readonly string[];
  /** The one query whose arcs are drawn, as an index into the queries. Default: the arcs of all. */
  query?: number;
  /**
   * `across`: tokens side by side, arcs above them. `down`: one below the other, for narrow pages. Default `across`.
   */
  direction?: "across" | "down";
  /** Weights below this are not drawn. Default 0.05. */
  minWeight?: number;
  /** The weight drawn in full ink. Default 1. */
  max?: number;
  /**
   * The selected query, and optionally a key: its token gets a frame. If given, `<qkv-token-arcs>` lets readers select arcs, as a
   * weight, and tokens, as a query. Default: they cannot.
   */
  selected?: SelectedWeight | undefined;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const edge = 12;
const rowHeight = 26;
const letters = 22; // pixels

/**
 * Draws attention as arcs from each query to the keys that it attends to, over the tokens themselves. The ink of an arc
 * is its weight; an arc holds its number as an SVG `<title>`. A token that attends to itself has a ring.
 *
 * @param weights - `[T, S]`, one head. The queries are the last `T` of the `S` tokens.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different, or there are more queries than keys.
 * @throws {ArgumentError} If a weight is negative or not finite, labels are too few or too many, or there is no such
 *   query or key.
 *
 * @example
 * ```ts
 * import { tokenArcs } from "@qkv/viz";
 *
 * const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] }; // [T, S]
 * const svg = tokenArcs(weights, { labels: ["the", "cat"] });
 * svg.includes("query “cat”, key “the”: 0.25"); // => true
 * ```
 */
export function tokenArcs(weights: PictureData, options: TokenArcsOptions): string {
  const check = checks("tokenArcs");
  const given = check.options(options, [
    ...(["labels", "query", "direction", "minWeight", "max"] as const),
    ...(["selected", "title"] as const),
  ]);
  const { labels, query, direction = "across", minWeight = 0.05, max = 1, selected, title } = given;
  const rank = (axisLength(weights, 0) ?? 0) <= (axisLength(weights, 1) ?? 0) ? [2] : [];
  const { data, T, S } = checkWeights(check, weights, {
    ranks: rank,
    expected: "[T, S], T at most S",
    fix: "pass one head of them; `attentionMap`, `headView` and `headGrid` draw many.",
  });
  checkList(check, "labels", labels, "a label for each key");
  checkLabels(check, { labels }, S);
  checkTexts(check, { title });
  check.oneOf({ direction }, ["across", "down"]);
  check.finite({ minWeight });
  check.finite({ max }, { above: 0 });
  if (query !== undefined) check.whole({ query }, { min: 0, max: T - 1, fix: "leave it out to draw all." });
  checkSelectedWeight(check, selected, [T, S]);
  const top = edge + (title ? 24 : 0);
  const visibleLabels = labels.map(visibleToken);
  const widths = visibleLabels.map((label) => labelWidth([label]) + 12);
  const starts = widths.map((_, i) => edge + widths.slice(0, i).reduce((sum, width) => sum + width + 4, 0));
  const down = direction === "down";
  const widest = Math.max(...widths);

  const arcs: { t: number; s: number; weight: number }[] = [];
  let [left, dropped] = [0, 0];
  for (let t = 0; t < T; t++) {
    if (query !== undefined && query !== t) continue;
    for (let s = 0; s < S; s++) {
      const weight = data[t * S + s]!;
      if (weight >= minWeight) arcs.push({ t, s, weight });
      else if (weight > 0) [left, dropped] = [left + 1, dropped + weight];
    }
  }
  const span = arcs.reduce((longest, { t, s }) => Math.max(longest, Math.abs(t + S - T - s)), 1);
  const rise = down
    ? Math.min(130, 24 + 12 * span)
    : Math.min(150, 24 + (0.3 * ((starts.at(-1)! - starts[0]!) * span)) / Math.max(1, S - 1));
  const middle = (i: number) => starts[i]! + widths[i]! / 2;
  const row = (i: number) => top + i * rowHeight + letters / 2;
  const floor = top + rise + 8;

  const drawn = arcs.map(({ t, s, weight }) => {
    const q = t + S - T;
    const opacity = Math.min(1, weight / max);
    const height = q === s ? 0 : rise * Math.sqrt(Math.abs(q - s) / span);
    const path = down
      ? sideways(row(q), row(s), edge + widest + 6, height)
      : over(middle(q), middle(s), floor, height);
    const where = `query “${labels[q]}”, key “${labels[s]}”: ${numberText(weight)}`;
    const look = svg`stroke-width="${px(1 + 2.5 * opacity)}" stroke-opacity="${(0.12 + 0.88 * opacity).toFixed(3)}" ${stroke("weight")}`;
    const named = svg`<title>${where}</title></path>`;
    if (!selected) return joinSvg([svg`<path d="${path}" fill="none" ${look}>`, named]);
    // A line of one pixel is hard to point at, so an invisible wider one is added.
    const wide = svg`stroke="none" stroke-width="12" pointer-events="stroke"`;
    return joinSvg([
      svg`<path d="${path}" fill="none" pointer-events="none" ${look}/>`,
      svg`<path data-qkv-cell="${t},${s}" d="${path}" fill="none" ${wide}>`,
      named,
    ]);
  });
  const received = (s: number) => (query === undefined ? 0 : data[query * S + s]!);
  const tokens = visibleLabels.map((label, i) => {
    const [x, y] = down ? [edge, top + i * rowHeight] : [starts[i]!, floor + 6];
    const isQuery = query !== undefined && query + S - T === i;
    const tooltip =
      query === undefined ? `token ${i}: “${labels[i]}”` : `key “${labels[i]}”: ${numberText(received(i))}`;
    const choice = selected && i >= S - T ? svg`data-qkv-cell="${i - (S - T)}" ` : "";
    const width = down ? widest : widths[i]!;
    return joinSvg([
      svg`<rect ${choice}x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${letters}" rx="4" ${fill("key")} fill-opacity="${(0.45 * Math.min(1, received(i) / max)).toFixed(3)}"><title>${tooltip}</title></rect>`,
      svg`<text x="${px(down ? x + widest - 6 : middle(i))}" y="${px(y + 15)}" text-anchor="${down ? "end" : "middle"}" pointer-events="none" ${fill(isQuery ? "query-text" : "text")}${isQuery ? svg` font-weight="700"` : ""}>${label}</text>`,
      ...(selected?.column === i ? [cellFrame(x, y, width, letters, "key")] : []),
    ]);
  });
  const who = query === undefined ? "all tokens" : `“${labels[query + S - T]}”`;
  const width = down ? edge * 2 + widest + rise + 16 : starts.at(-1)! + widths.at(-1)! + edge;
  return picture({
    width: Math.max(width, titleWidth(title)),
    height: down ? top + S * rowHeight + edge : floor + letters + 6 + edge,
    title: title ?? "Attention as arcs",
    description:
      `Arcs from ${who} to ${S === 1 ? "the key" : `${S} keys`}. ` +
      (query === undefined
        ? `${arcs.length} weights of ${minWeight} or more are drawn.`
        : arcs
            .toSorted((a, b) => b.weight - a.weight)
            .map(({ s, weight }) => `“${labels[s]}”: ${numberText(weight)}`)
            .join("; ") + ".") +
      (left > 0 ? ` ${left} smaller ones, ${numberText(dropped)} together, are left out.` : ""),
    body: [...heading(title), ...drawn, ...tokens],
  });
}

/** Path of an arc above the line `floor`; a ring if start and end are equal. */
function over(from: number, to: number, floor: number, height: number): string {
  if (from === to) return `M${px(from - 6)} ${px(floor)}A6 8 0 1 1 ${px(from + 6)} ${px(floor)}`;
  const lift = floor - height * 1.33;
  return `M${px(from)} ${px(floor)}C${px(from)} ${px(lift)} ${px(to)} ${px(lift)} ${px(to)} ${px(floor)}`;
}

function sideways(from: number, to: number, wall: number, height: number): string {
  if (from === to) return `M${px(wall)} ${px(from - 5)}A8 5 0 1 1 ${px(wall)} ${px(from + 5)}`;
  const out = wall + height * 1.33;
  return `M${px(wall)} ${px(from)}C${px(out)} ${px(from)} ${px(out)} ${px(to)} ${px(wall)} ${px(to)}`;
}

import { checks } from "@qkv/core";
import { checkLabels, checkList, checkTexts, type PictureData } from "./check-data.js";
import { checkWeights } from "./check-weights.js";
import { checkMarks, keyValueHead, markNames, marksText, outOfWindow, type HeadMarks } from "./head-marks.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px } from "./picture.js";
import { svg, type Svg } from "./svg.js";

/** Options of {@link headView}. */
export type HeadViewOptions = HeadMarks & {
  /** One label for each query, from the first to the last. */
  rowLabels: readonly string[];
  /** One label for each key. Default: those of the queries. */
  columnLabels?: readonly string[];
  /** Heads to draw, counted from 0. Default: all. */
  heads?: readonly number[];
  /** The one query whose lines are drawn, counted from 0. Default: all of them. */
  query?: number;
  /** Weights below this are not drawn. Default 0.01. */
  minWeight?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const [line, columnGap] = [18, 90]; // pixels

/**
 * Draws heads as lines between two columns of tokens: queries at the left, keys at the right, a line as dark as its
 * weight. Heads that share keys and values have one bar below them. With one `query`, keys outside its window are
 * struck out, and the first keys that it always sees are underlined; a learned sink is one more key below the others.
 *
 * @param weights - `[B, H, T, S]`, of which the first batch is drawn.
 * @returns SVG text. Each line holds its number as an SVG `<title>`.
 * @throws {ShapeError} If the weights are not `[B, H, T, S]`.
 * @throws {ArgumentError} If labels are too few or too many, there is no such head or query, or marks do not fit.
 * @see "A Multiscale Visualization of Attention in the Transformer Model" (2019), arXiv:1906.05714, the head view
 *
 * @example
 * ```ts
 * import { headView } from "@qkv/viz";
 *
 * const weights = { data: [1, 0, 0.25, 0.5], shape: [1, 1, 2, 2] };
 * const svg = headView(weights, { rowLabels: ["the", "cat"], sink: true });
 * svg.includes("head 0, query “cat”, key “the”: 0.25"); // => true
 * svg.includes("head 0, query “cat”, sink: 0.25"); // => true
 * ```
 */
export function headView(weights: PictureData, options: HeadViewOptions): string {
  const check = checks("headView");
  const { data, H, T, S } = checkWeights(check, weights, {
    ranks: [4],
    expected: "[B, H, T, S], each axis 1 or more",
  });
  const names = ["rowLabels", "columnLabels", "heads", "query", "minWeight", "title", ...markNames] as const;
  const given = check.options(options, names);
  const { rowLabels, columnLabels = rowLabels, query, minWeight = 0.01, title } = given;
  checkList(check, "rowLabels", rowLabels, "a label for each query");
  checkLabels(check, { rowLabels }, T);
  checkLabels(check, { columnLabels }, S);
  checkTexts(check, { title });
  check.finite({ minWeight });
  checkMarks(check, H, given);
  const { heads = Array.from({ length: H }, (_, h) => h) } = given;
  checkList(check, "heads", heads, "a list of heads");
  for (const head of heads) check.whole({ heads: head }, { min: 0, max: H - 1, fix: "count from 0." });
  if (query !== undefined) check.whole({ query }, { min: 0, max: T - 1, fix: "count from 0." });

  const keys = [...columnLabels, ...(given.sink ? ["sink"] : [])];
  const [left, right] = [labelWidth(rowLabels), labelWidth(keys)];
  const width = left + columnGap + right + 28;
  const top = (title ? 54 : 18) + 20;
  const y = (i: number) => top + i * line;
  const height = Math.max(T, keys.length) * line;

  const panels = heads.map((head, n) => {
    const x = 12 + n * width;
    const [from, to] = [x + left + 6, x + left + columnGap];
    const lines: Svg[] = [];
    for (let t = 0; t < T; t++) {
      if (query !== undefined && t !== query) continue;
      let total = 0;
      const draw = (key: number, weight: number, name: string) => {
        if (weight < minWeight) return;
        const text = `head ${head}, query “${rowLabels[t]}”, ${name}: ${numberText(weight)}`;
        lines.push(
          svg`<line x1="${px(from)}" y1="${px(y(t) - 4)}" x2="${px(to - 6)}" y2="${px(y(key) - 4)}" fill-opacity="0" stroke-width="${px(0.4 + 3 * Math.min(1, weight))}"><title>${text}</title></line>`,
        );
      };
      for (let s = 0; s < S; s++) {
        const weight = data[(head * T + t) * S + s]!;
        total += weight;
        draw(s, weight, `key “${columnLabels[s]}”`);
      }
      if (given.sink) draw(S, Math.max(0, 1 - total), "sink");
    }
    const queries = rowLabels.map(
      (label, t) =>
        svg`<text x="${px(from - 6)}" y="${px(y(t))}" text-anchor="end" ${fill(query === undefined || t === query ? "query-text" : "quiet")}>${label}</text>`,
    );
    const keyTexts = keys.map((label, s) => {
      const sink = s === S;
      const lost = query !== undefined && !sink && outOfWindow(S - T + query, s, given);
      const isFirstKey = query !== undefined && s < (given.keepFirst ?? 0);
      const w = labelWidth([label]);
      const mark = lost || isFirstKey ? y(s) + (lost ? -4 : 3) : undefined;
      const struck =
        mark === undefined
          ? ""
          : svg`<line x1="${px(to)}" y1="${px(mark)}" x2="${px(to + w)}" y2="${px(mark)}" ${stroke(lost ? "hatch" : "key")}><title>${label} is ${lost ? "outside of the window" : "kept for ever"}</title></line>`;
      return svg`<text x="${px(to)}" y="${px(y(s))}" ${fill(lost || sink ? "quiet" : "key-text")}>${label}</text>${struck}`;
    });
    return [
      svg`<text x="${px(x)}" y="${px(top - line - 6)}" ${fill("text")} font-weight="600">head ${head}</text>`,
      ...queries,
      ...keyTexts,
      svg`<g ${stroke("weight")}>${lines}</g>`,
    ];
  });

  // One bar below all neighbours that read the same keys.
  const kvHeads = heads.map((head) => keyValueHead(head, H, given));
  const grouped = (given.numKvHeads ?? H) < H;
  const bars = kvHeads.flatMap((kv, n) => {
    if (!grouped || kvHeads[n - 1] === kv) return [];
    const length = kvHeads.slice(n).findIndex((other) => other !== kv);
    const count = length < 0 ? kvHeads.length - n : length;
    const x = 12 + n * width;
    return [
      svg`<rect x="${px(x)}" y="${px(y(0) + height)}" width="${px(count * width - 28)}" height="4" ${fill("key")}><title>keys and values of head ${kv}</title></rect><text x="${px(x)}" y="${px(y(0) + height + 20)}" ${fill("key-text")}>keys and values ${kv}</text>`,
    ];
  });
  const text = marksText(H, given);
  return picture({
    width: Math.max(12 + heads.length * width, title ? labelWidth([title]) + 40 : 0, labelWidth([text]) + 24),
    height: top + height + 46,
    title: title ?? "Heads",
    description: `Lines from ${T} queries to ${S} keys for ${heads.length} of ${text}.`,
    body: [
      ...heading(title),
      ...panels.flat(),
      ...bars,
      svg`<text x="12" y="${px(top + height + 38)}" ${fill("quiet")}>${text}</text>`,
    ],
  });
}

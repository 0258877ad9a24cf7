import { ArgumentError } from "@qkv/core";
import { checkData, checkLabels, type PictureData } from "./check-data.js";
import { escapeText } from "./escape-text.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { hatch } from "./hatch.js";
import { maskReader, type MaskData } from "./mask-reader.js";
import { labelWidth, picture, px } from "./picture.js";
import { weightLegend } from "./weight-legend.js";

/** How {@link attentionMap} draws. */
export type AttentionMapOptions = {
  /** One label for each query, from the first to the last. */
  rowLabels?: readonly string[];
  /** One label for each key. */
  columnLabels?: readonly string[];
  /** The name of the picture, drawn above it. Default: none is drawn, and readers by ear hear "Attention weights". */
  title?: string;
  /** Which keys a query may see (`true`, or a number other than 0), in a shape that broadcasts to the weights'.
   * Default: a weight of exactly 0 counts as masked. */
  mask?: MaskData;
  /** The weight drawn in full ink. Default: the largest in the picture, so pictures with their own scale are not
   * comparable by eye: give 1 to all of them. */
  max?: number;
  /** The side of a cell. Unit: pixels. Default: chosen from the number of cells. */
  cellSize?: number;
};

const mostCells = 100_000;
const room = { edge: 12, gap: 20, line: 18 };

/**
 * Draws attention weights as a heat map: a row for each query, a column for each key, from paper (0) to ink (`max`).
 * Masked cells are hatched. Each cell holds its number as a `<title>`, which a browser shows on hover.
 *
 * @param weights - `[T, S]`, or `[B, H, T, S]` for a map per head, in a line per batch. Each is 0 or more.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is another, or that of `mask` does not broadcast to it.
 * @throws {ArgumentError} If a weight is negative or not finite, labels are too few or too many, `max` or `cellSize` is
 *   not positive, or there are more than 100,000 cells.
 *
 * @example
 * ```ts
 * import { attentionMap } from "@qkv/viz";
 *
 * const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] }; // [T, S]
 * const svg = attentionMap(weights, { rowLabels: ["the", "cat"], columnLabels: ["the", "cat"] });
 * svg.includes("query “cat”, key “the”: 0.25"); // => true
 * svg.includes("query “the”, key “cat”: masked"); // => true
 * ```
 */
export function attentionMap(weights: PictureData, options: AttentionMapOptions = {}): string {
  const { title, rowLabels, columnLabels } = options;
  const { data, B, H, T, S } = checkWeights(weights);
  checkLabels(rowLabels, T, { fn: "attentionMap", argument: "rowLabels" });
  checkLabels(columnLabels, S, { fn: "attentionMap", argument: "columnLabels" });
  checkPositive("max", options.max);
  checkPositive("cellSize", options.cellSize);

  const size =
    options.cellSize ?? Math.max(3, Math.min(30, Math.floor((B * H > 1 ? 180 : 380) / Math.max(T, S))));
  const readable = size >= 11; // below that, letters of neighbouring rows would overlap
  const left = readable ? labelWidth(rowLabels ?? numbers(T)) + 8 : 0;
  // Column labels stand on end unless each fits above its column.
  const upright = labelWidth(columnLabels ?? numbers(S)) > size;
  const above = readable ? (upright ? labelWidth(columnLabels ?? numbers(S)) + 4 : 14) : 0;
  const panel = { width: left + room.line + S * size, height: above + room.line + T * size };
  const caption = B * H > 1 ? room.line : 0;

  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, data[i]!);
  const max = options.max ?? (largest || 1);
  const masked = maskReader({ data, shape: weights.shape }, options.mask);
  const name = (kind: string, label: string | undefined, i: number) =>
    label === undefined ? `${kind} ${i}` : `${kind} “${label}”`;

  const top = room.edge + (title ? room.line + 4 : 0);
  let maskedCells = 0;
  let peak = { weight: -1, text: "" };
  const panels: string[] = [];
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const x0 = room.edge + h * (panel.width + room.gap) + left + room.line;
      const y0 = top + b * (panel.height + caption + room.gap) + caption + above + room.line;
      const cells: string[] = [];
      const hatches: string[] = [];
      for (let t = 0; t < T; t++) {
        for (let s = 0; s < S; s++) {
          const i = ((b * H + h) * T + t) * S + s;
          const weight = data[i]!;
          const where = `${name("query", rowLabels?.[t], t)}, ${name("key", columnLabels?.[s], s)}`;
          const hidden = masked(i);
          const [x, y] = [x0 + s * size, y0 + t * size];
          if (hidden) {
            maskedCells++;
            hatches.push(hatch(x, y, size));
          }
          if (!hidden && weight > peak.weight) peak = { weight, text: where };
          const look = hidden
            ? ` class="qkv-masked" fill="none" pointer-events="all"`
            : ` class="qkv-cell" fill-opacity="${Math.min(1, weight / max).toFixed(3)}"`;
          // An explicit mask may hide a cell whose weight is not 0: a bug worth seeing, so the number stays.
          const value = hidden
            ? weight === 0
              ? "masked"
              : `masked, yet ${numberText(weight)}`
            : numberText(weight);
          cells.push(
            `<rect x="${px(x)}" y="${px(y)}" width="${px(size)}" height="${px(size)}"${look}>` +
              `<title>${escapeText(`${where}: ${value}`)}</title></rect>`,
          );
        }
      }
      panels.push(
        ...(hatches.length > 0 ? [`<path d="${hatches.join("")}" ${stroke("hatch")}/>`] : []),
        `<g ${fill("weight")}>\n${cells.join("\n")}\n</g>`,
        `<rect x="${px(x0)}" y="${px(y0)}" width="${px(S * size)}" height="${px(T * size)}" fill="none" ${stroke("rule")}/>`,
        `<text x="${px(x0)}" y="${px(y0 - above - 6)}" ${fill("key-text")} font-weight="600">key →</text>`,
        `<text transform="translate(${px(x0 - left - 6)} ${px(y0)}) rotate(-90)" text-anchor="end" ${fill("query-text")} font-weight="600">← query</text>`,
      );
      if (caption) {
        const of = [...(B > 1 ? [`batch ${b}`] : []), ...(H > 1 ? [`head ${h}`] : [])].join(", ");
        panels.push(`<text x="${px(x0)}" y="${px(y0 - above - room.line - 6)}" ${fill("text")}>${of}</text>`);
      }
      if (readable) {
        panels.push(
          ...(rowLabels ?? numbers(T)).map(
            (label, t) =>
              `<text x="${px(x0 - 6)}" y="${px(y0 + (t + 0.5) * size + 4)}" text-anchor="end" ${fill("query-text")}>${escapeText(label)}</text>`,
          ),
          ...(columnLabels ?? numbers(S)).map((label, s) => {
            const x = x0 + (s + 0.5) * size;
            const place = upright
              ? `transform="translate(${px(x + 4)} ${px(y0 - 5)}) rotate(-90)"`
              : `x="${px(x)}" y="${px(y0 - 5)}" text-anchor="middle"`;
            return `<text ${place} ${fill("key-text")}>${escapeText(label)}</text>`;
          }),
        );
      }
    }
  }

  const width = Math.max(
    room.edge * 2 + H * (panel.width + room.gap) - room.gap,
    260,
    title ? labelWidth([title]) + 40 : 0,
  );
  const bottom = top + B * (panel.height + caption + room.gap) - room.gap;
  const heading = title
    ? `<text x="${room.edge}" y="${room.edge + 12}" ${fill("text")} font-size="14" font-weight="600">${escapeText(title)}</text>\n`
    : "";
  return picture({
    width,
    height: bottom + 40,
    title: title ?? "Attention weights",
    description:
      `A heat map of ${T} ${T === 1 ? "query" : "queries"} (rows) by ${S} ${S === 1 ? "key" : "keys"} (columns)` +
      (B * H > 1 ? ` for ${B * H} heads` : "") +
      `. ${maskedCells} of ${B * H * T * S} cells are masked.` +
      (peak.weight >= 0 ? ` The largest weight is ${numberText(peak.weight)}, of ${peak.text}.` : ""),
    body:
      heading +
      panels.join("\n") +
      weightLegend(room.edge + left + room.line, bottom + 14, max, maskedCells > 0),
  });
}

function checkWeights(weights: PictureData): {
  data: ArrayLike<number>;
  B: number;
  H: number;
  T: number;
  S: number;
} {
  checkData(weights, {
    fn: "attentionMap",
    argument: "weights",
    ranks: [2, 4],
    expected: "[T, S] or [B, H, T, S], each axis 1 or more",
    fix: "pass the weights as attentionWeights returns them, or one head of them.",
  });
  const { data } = weights; // read once: a tensor that is a view copies its numbers each time
  const [B, H, T, S] = (weights.shape.length === 4 ? weights.shape : [1, 1, ...weights.shape]) as [
    number,
    number,
    number,
    number,
  ];
  if (B * H * T * S > mostCells) {
    throw new ArgumentError({
      fn: "attentionMap",
      argument: "weights",
      received: weights.shape,
      expected: `${mostCells} cells or fewer`,
      fix: "draw one head, or a range of the queries and keys.",
    });
  }
  for (let i = 0; i < data.length; i++) {
    if (data[i]! < 0) {
      throw new ArgumentError({
        fn: "attentionMap",
        argument: `weights.data[${i}]`,
        received: data[i],
        expected: "a weight of 0 or more",
        fix: "pass weights, which come after softmax; scores come before it.",
      });
    }
  }
  return { data, B, H, T, S };
}

function checkPositive(argument: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return;
  throw new ArgumentError({
    fn: "attentionMap",
    argument,
    received: value,
    expected: "a number above 0",
    fix: "leave it out to have it chosen.",
  });
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

import { checks } from "@qkv/core";
import { axisLength, checkData, checkLabels, checkList, checkTexts, type PictureData } from "./check-data.js";
import { checkMarks, outOfWindow, type HeadMarks } from "./head-marks.js";
import { hatch } from "./hatch.js";
import { numberText } from "./number-text.js";
import { fill, stroke, type Meaning } from "./palette.js";
import { heading, labelWidth, picture, px } from "./picture.js";
import { joinSvg, svg } from "./svg.js";

/** Options of {@link neuronView}. */
export type NeuronViewOptions = Pick<HeadMarks, "window" | "keepFirst"> & {
  /** One label for each key. */
  columnLabels: readonly string[];
  /** Position of the query, counted from 0 among the keys; later keys are masked. Default: the last. */
  place?: number;
  /** Scale of the dot products. Default 1 / √D. */
  scale?: number;
  /** The logit of a learned sink, which takes its share of the softmax. Default: none. */
  sinkLogit?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const cell = 12; // pixels

/**
 * Draws the computation of the weights of one query: the query, each key, their products, the scaled dot product, and the
 * weight after the softmax. Larger numbers are darker, negative ones have a stroke. Keys that are masked or outside of the
 * window are hatched, and a learned sink is drawn as one more key.
 *
 * @param query - One query of a head, `[D]`, after rotary positions and QK-norm if the head has them.
 * @param key - The keys of its key-value head, `[S, D]`.
 * @returns SVG text. Each cell holds its number as an SVG `<title>`.
 * @throws {ShapeError} If the shapes are different.
 * @throws {ArgumentError} If labels are too few or too many, or `place` is not a key.
 * @see "A Multiscale Visualization of Attention in the Transformer Model" (2019), arXiv:1906.05714, the neuron view
 *
 * @example
 * ```ts
 * import { neuronView } from "@qkv/viz";
 *
 * const key = { data: [1, 0, 0, 1], shape: [2, 2] };
 * const svg = neuronView({ data: [2, 0], shape: [2] }, key, { columnLabels: ["the", "cat"], scale: 1 });
 * svg.includes("key “the”, score: 2"); // => true
 * svg.includes("key “the”, weight: 0.8808"); // => true
 * ```
 */
export function neuronView(query: PictureData, key: PictureData, options: NeuronViewOptions): string {
  const check = checks("neuronView");
  const names = ["columnLabels", "place", "scale", "sinkLogit", "title", "window", "keepFirst"] as const;
  const given = check.options(options, names);
  const fix = "give one row of queries, and the keys of its head.";
  checkData(check, query, { argument: "query", ranks: [1], expected: "[D]", fix });
  const D = query.shape[0]!;
  const ranks = axisLength(key, 1) === D ? [2] : [];
  checkData(check, key, { argument: "key", ranks, expected: `[S, ${D}]`, fix });
  const S = key.shape[0]!;
  const { columnLabels, place = S - 1, scale = 1 / Math.sqrt(D), sinkLogit, title } = given;
  checkList(check, "columnLabels", columnLabels, "a label for each key");
  checkLabels(check, { columnLabels }, S);
  checkTexts(check, { title });
  checkMarks(check, 1, given);
  check.finite({ scale });
  if (sinkLogit !== undefined) check.finite({ sinkLogit });
  check.whole({ place }, { min: 0, max: S - 1, fix: "count the keys from 0." });

  const seen = (s: number) => s <= place && !outOfWindow(place, s, given);
  const products = Array.from(key.data, (k, n) => k * query.data[n % D]!);
  const scores = columnLabels.map(
    (_, s) => scale * products.slice(s * D, (s + 1) * D).reduce((a, b) => a + b, 0),
  );
  const logits = [...scores.filter((_, s) => seen(s)), ...(sinkLogit === undefined ? [] : [sinkLogit])];
  const maxLogit = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - maxLogit), 0);
  const share = (logit: number) => Math.exp(logit - maxLogit) / total;

  const rows = [...columnLabels, ...(sinkLogit === undefined ? [] : ["sink"])];
  const left = 18 + labelWidth([...rows, "query"]);
  const [top, step, gap] = [(title ? 40 : 10) + 34, cell + 6, 26];
  const column = (name: string) => Math.max(D * cell, labelWidth([name])) + gap;
  const across = [
    left,
    left + column("query, keys"),
    left + column("query, keys") + column("products"),
  ] as const;
  const [atScore, atWeight] = [across[2], across[2] + 80];
  const largest = (data: ArrayLike<number>) =>
    Array.from(data).reduce((max, x) => Math.max(max, Math.abs(x)), 0) || 1;
  const numbers = (
    data: readonly number[],
    x: number,
    y: number,
    max: number,
    meaning: Meaning,
    name: string,
  ) =>
    data.map((value, d) => {
      const at = x + d * cell;
      const square = svg`<rect x="${px(at)}" y="${px(y)}" width="${cell - 1}" height="${cell - 1}" fill-opacity="${(Math.abs(value) / max).toFixed(3)}" ${fill(meaning)}><title>${name}, number ${d}: ${numberText(value)}</title></rect>`;
      return value < 0
        ? svg`${square}<line x1="${px(at + 2)}" y1="${px(y + cell / 2)}" x2="${px(at + cell - 3)}" y2="${px(y + cell / 2)}" ${stroke("text")}/>`
        : square;
    });
  const [ofQuery, ofKeys, ofProducts] = [largest(query.data), largest(key.data), largest(products)];
  const queryName = `query “${columnLabels[place]}”`;
  const body = rows.map((label, s) => {
    const y = top + (s + 1) * step;
    const text = svg`<text x="${px(left - 8)}" y="${px(y + 10)}" text-anchor="end" ${fill(s === S ? "quiet" : "key-text")}>${label}</text>`;
    const logit = s === S ? sinkLogit! : scores[s]!;
    const name = s === S ? "sink" : `key “${label}”`;
    if (s < S && !seen(s)) {
      const squares = Array.from({ length: D }, (_, d) => hatch(across[0] + d * cell, y, cell - 1)).join("");
      const why = s > place ? "masked, it is still to come" : "masked, it has left the window";
      return svg`${text}<path d="${squares}" ${stroke("hatch")}/><rect x="${px(across[0])}" y="${px(y)}" width="${px(D * cell)}" height="${cell}" fill="none" pointer-events="all"><title>${name}: ${why}</title></rect>`;
    }
    const isFirstKey = s < Math.min(given.keepFirst ?? 0, S);
    const weight = share(logit);
    return joinSvg([
      text,
      ...(isFirstKey
        ? [
            svg`<line x1="${px(left - 8 - labelWidth([label]))}" y1="${px(y + 13)}" x2="${px(left - 8)}" y2="${px(y + 13)}" ${stroke("key")}><title>${label} is kept for ever</title></line>`,
          ]
        : []),
      ...(s < S
        ? [
            ...numbers(Array.from(key.data).slice(s * D, (s + 1) * D), across[0], y, ofKeys, "key", name),
            ...numbers(
              products.slice(s * D, (s + 1) * D),
              across[1],
              y,
              ofProducts,
              "weight",
              `product with ${name}`,
            ),
          ]
        : []),
      svg`<text x="${px(atScore + 60)}" y="${px(y + 10)}" text-anchor="end" ${fill("text")}>${numberText(logit)}<title>${name}, score: ${numberText(logit)}</title></text>`,
      svg`<rect x="${px(atWeight)}" y="${px(y)}" width="${px(1 + 60 * weight)}" height="${cell - 1}" ${fill(s === S ? "cost" : "weight")}><title>${name}, weight: ${numberText(weight)}</title></rect>`,
    ]);
  });
  const head = (x: number, text: string, meaning: Meaning) =>
    svg`<text x="${px(x)}" y="${px(top - 14)}" ${fill(`${meaning}-text`)}>${text}</text>`;
  return picture({
    width: atWeight + 84,
    height: top + (rows.length + 1) * step + 14,
    title: title ?? "One query, number by number",
    description: `The ${queryName} meets ${S} keys of ${D} numbers. ${rows.length - S > 0 ? "A sink takes its share. " : ""}${columnLabels.filter((_, s) => !seen(s)).length} keys are masked.`,
    body: [
      ...heading(title),
      head(across[0], "query, keys", "key"),
      head(across[1], "products", "weight"),
      head(atScore + 8, "score", "cost"),
      head(atWeight, "weight", "weight"),
      svg`<text x="${px(left - 8)}" y="${px(top + 10)}" text-anchor="end" ${fill("query-text")}>query</text>`,
      ...numbers(Array.from(query.data), across[0], top, ofQuery, "query", queryName),
      ...body,
    ],
  });
}

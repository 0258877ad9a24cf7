import { checks } from "@qkv/core";
import { cellFrame, checkSelectedWeight, type SelectedWeight } from "./cell-frame.js";
import { checkLabels, checkLeast, checkSizes, checkTexts, type PictureData } from "./check-data.js";
import { checkWeights } from "./check-weights.js";
import { labelStep, mapAxes } from "./map-axes.js";
import { mapCells, type Cell } from "./map-cells.js";
import { maskReader, type MaskData } from "./mask-reader.js";
import { softmaxFormula } from "./softmax-formula.js";
import { numberText } from "./number-text.js";
import { fill } from "./palette.js";
import { heading, picture, px, titleWidth } from "./picture.js";
import { weightLegend } from "./weight-legend.js";
import { svg, type Svg } from "./svg.js";

/** Options of {@link attentionMap}. */
export type AttentionMapOptions = {
  /** One label for each query, from the first to the last. Where cells are below 11 pixels, some of the labels are drawn. */
  rowLabels?: readonly string[];
  /** One label for each key. */
  columnLabels?: readonly string[];
  /** The name of the picture, drawn above it. Default: none is drawn, and screen readers read "Attention weights". */
  title?: string;
  /** A mask of the keys that a query sees (`true`, or a number other than 0), in a shape that broadcasts to the weights'.
   * Default: a weight of exactly 0 counts as masked. */
  mask?: MaskData;
  /** The inputs of the softmax, in the shape of the weights, as in a trace. The tooltip of a cell then shows the softmax
   * that gave its weight. Default: it shows the weight alone. */
  scores?: PictureData;
  /** The weight drawn in the darkest color. Default: the largest in the picture, so each picture has its own scale.
   * Pass 1 to compare pictures. */
  max?: number;
  /** The weight below 0 that is drawn in full gray, with a minus: for maps that a state implies, as `impliedWeights` of
   * `@qkv/attention` returns them. Default: weights below 0 are refused. */
  min?: number;
  /** The side of a cell. Unit: pixels. Default: chosen from the number of cells. */
  cellSize?: number;
  /** The selected query, or its cell for one key, which gets a frame. If given, `<qkv-attention-map>` lets readers select cells of one
   * head. Default: they cannot. */
  selected?: SelectedWeight | undefined;
};

const [edge, gap, line] = [12, 20, 18]; // pixels

/**
 * Draws attention weights as a heat map: a row for each query, a column for each key, from paper (0) to ink (`max`).
 * Masked cells are hatched. Each cell holds its number as an SVG `<title>`, which a browser shows on hover.
 *
 * @param weights - `[T, S]`, or `[B, H, T, S]` for a map per head, in a line per batch. Each is 0 or more, unless
 *   `min` is given.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different, or that of `mask` does not broadcast to it.
 * @throws {ArgumentError} If a weight is not finite, or negative without `min`, labels are too few or too many, `max` or
 *   `cellSize` is not positive, `min` is not negative, there are more than 100,000 cells, `scores` are not those that the weights were
 *   made from, or `selected` is no weight of one head.
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
  const { title, rowLabels, columnLabels, max: givenMax, min, cellSize, selected } = checkMapOptions(options);
  const { data, B, H, T, S } = checkWeights(checkMap, weights, { min });
  checkLabels(checkMap, { rowLabels }, T);
  checkLabels(checkMap, { columnLabels }, S);
  checkSelectedWeight(checkMap, selected, [T, S]);

  const name = (kind: string, label: string | undefined, i: number) =>
    label === undefined ? `${kind} ${i}` : `${kind} “${label}”`;
  const queries = Array.from({ length: T }, (_, t) => name("query", rowLabels?.[t], t));
  const keys = Array.from({ length: S }, (_, s) => name("key", columnLabels?.[s], s));
  const masked = maskReader(checkMap, { data, shape: weights.shape }, options.mask);
  const formula = options.scores && softmaxFormula(checkMap, weights, options.scores);
  const cells = Array.from(data, (weight, i): Cell => {
    const cellName = `${queries[Math.floor(i / S) % T]}, ${keys[i % S]}`;
    return { weight, masked: masked(i), name: cellName, formula: formula?.(i) };
  });
  const seen = cells.filter((cell) => !cell.masked);
  const peak = seen.reduce<Cell | undefined>(
    (best, cell) => (best && best.weight >= cell.weight ? best : cell),
    undefined,
  );
  const max = givenMax ?? (cells.reduce((largest, { weight }) => Math.max(largest, weight), 0) || 1);

  const several = B * H > 1;
  const fix = "leave `selected` out, or draw one head.";
  checkMap.each({ selected }, () => !(several && selected), "none, as there are several heads", fix);
  const size = cellSize ?? Math.max(3, Math.min(30, Math.floor((several ? 180 : 380) / Math.max(T, S))));
  const axes = mapAxes(rowLabels ?? T, columnLabels ?? S, size);
  const top = edge + (title ? line + 4 : 0);
  const caption = several ? line : 0;
  const [panelWidth, panelHeight] = [axes.left + S * size, caption + axes.above + T * size];
  const panels = Array.from({ length: B * H }, (_, panel) => {
    const [b, h] = [Math.floor(panel / H), panel % H];
    const x = edge + h * (panelWidth + gap) + axes.left;
    const y = top + b * (panelHeight + gap) + caption + axes.above;
    const of = [...(B > 1 ? [`batch ${b}`] : []), ...(H > 1 ? [`head ${h}`] : [])].join(", ");
    return [
      ...(several
        ? [svg`<text x="${px(x)}" y="${px(y - axes.above - 6)}" ${fill("text")}>${of}</text>`]
        : []),
      axes.draw(x, y),
      mapCells(cells.slice(panel * T * S, (panel + 1) * T * S), {
        ...{ x, y, size, columns: S, max, min },
        choosable: selected !== undefined,
      }),
      ...(selected ? [selectionFrame(selected, { x, y, size, columns: S })] : []),
    ];
  });

  const bottom = top + B * (panelHeight + gap) - gap;
  return picture({
    width: Math.max(edge * 2 + H * (panelWidth + gap) - gap, 260, titleWidth(title)),
    height: bottom + 40,
    title: title ?? "Attention weights",
    description:
      `A heat map of ${T} ${T === 1 ? "query" : "queries"} (rows) by ${S} ${S === 1 ? "key" : "keys"} (columns)` +
      (several ? ` for ${B * H} heads` : "") +
      `. ${cells.length - seen.length} of ${cells.length} cells are masked.` +
      (labelStep(size) > 1 && (rowLabels ?? columnLabels)
        ? ` One label of ${labelStep(size)} is drawn, as cells are ${px(size)} pixels wide.`
        : "") +
      (peak ? ` The largest weight is ${numberText(peak.weight)}, of ${peak.name}.` : ""),
    body: [
      ...heading(title),
      ...panels.flat(),
      weightLegend(edge + axes.left, bottom + 14, { max, min, masked: seen.length < cells.length }),
    ],
  });
}

/** The frame of a cell, or of a row. */
function selectionFrame(
  { row, column }: SelectedWeight,
  { x, y, size, columns }: { x: number; y: number; size: number; columns: number },
): Svg {
  const top = y + row * size;
  return column === undefined
    ? cellFrame(x, top, columns * size, size)
    : cellFrame(x + column * size, top, size, size);
}

const checkMap = /* @__PURE__ */ checks("attentionMap");

/** Checks the options of a map. `weightPixels` takes them too. */
export function checkMapOptions(given: AttentionMapOptions | undefined): AttentionMapOptions {
  const names = [
    "rowLabels",
    "columnLabels",
    "title",
    "mask",
    "scores",
    "max",
    "min",
    "cellSize",
    "selected",
  ] as const;
  const options = checkMap.options(given, names);
  checkTexts(checkMap, { title: options.title });
  checkSizes(checkMap, { max: options.max, cellSize: options.cellSize });
  checkLeast(checkMap, options.min);
  return options;
}

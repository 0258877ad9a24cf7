import { checks } from "@qkv/core";
import { checkData, checkLabels, checkSizes, checkTexts, type PictureData } from "./check-data.js";
import { numberText } from "./number-text.js";
import { fill, meanings, stroke, type Meaning } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { svg } from "./svg.js";

/** Options of {@link vectors}. */
export type VectorsOptions = {
  /** One label for each row. */
  labels?: readonly string[];
  /** Meaning of the rows, which gives their color. Default `cost`, gray. */
  meaning?: Meaning;
  /** The width of the numbers. Unit: pixels. Default 200. */
  width?: number;
  /** The height of a row. Unit: pixels. Default 26. */
  rowHeight?: number;
  /** The number drawn at full height. Default: the largest magnitude of the picture. */
  max?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

/**
 * Draws rows of numbers, as the vectors of queries, keys and values are: each number a thin bar, up where it is
 * positive, down where it is negative. Each holds its number as an SVG `<title>`.
 *
 * @param values - `[N]` for one vector, `[K, N]` for K of them.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different.
 * @throws {ArgumentError} If a number is not finite, or labels are too few or too many.
 *
 * @example
 * ```ts
 * import { vectors } from "@qkv/viz";
 *
 * const svg = vectors({ data: [1, -0.5], shape: [2] }, { labels: ["it"], meaning: "query" });
 * svg.includes("it, number 1: -0.5"); // => true
 * ```
 */
export function vectors(values: PictureData, options: VectorsOptions = {}): string {
  const check = checks("vectors");
  const {
    labels,
    meaning = "cost",
    width = 200,
    rowHeight = 26,
    max: givenMax,
    title,
  } = check.options(options, ["labels", "meaning", "width", "rowHeight", "max", "title"]);
  checkTexts(check, { title });
  check.oneOf({ meaning }, meanings);
  checkSizes(check, { width, rowHeight, max: givenMax });
  checkData(check, values, {
    argument: "values",
    ranks: [1, 2],
    expected: "[N] or [K, N], each axis 1 or more",
    fix: "give one row of numbers for each vector.",
  });
  const [K, N] = (values.shape.length === 2 ? values.shape : [1, ...values.shape]) as [number, number];
  checkLabels(check, { labels }, K);
  const data = Array.from(values.data);
  const max = givenMax ?? (data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0) || 1);
  const left = labels ? 12 + labelWidth(labels) + 6 : 12;
  const top = title ? 36 : 10;
  const half = rowHeight / 2 - 2;
  const step = width / N;
  const rows = Array.from({ length: K }, (_, k) => {
    const zero = top + k * rowHeight + rowHeight / 2;
    const bars = data.slice(k * N, (k + 1) * N).map((value, i) => {
      const height = (Math.min(Math.abs(value), max) / max) * half;
      const x = left + i * step;
      const tooltip = `${labels ? `${labels[k]}, ` : K > 1 ? `row ${k}, ` : ""}number ${i}: ${numberText(value)}`;
      return svg`<rect x="${px(x)}" y="${px(value < 0 ? zero : zero - height)}" width="${px(Math.max(step * 0.85, 0.6))}" height="${px(Math.max(height, 0.4))}"><title>${tooltip}</title></rect>`;
    });
    const label = labels
      ? svg`<text x="${px(left - 6)}" y="${px(zero + 4)}" text-anchor="end" ${fill("text")}>${labels[k]!}</text>`
      : "";
    return svg`${label}<line x1="${px(left)}" y1="${px(zero)}" x2="${px(left + width)}" y2="${px(zero)}" ${stroke("rule")}/><g ${fill(meaning)}>${bars}</g>`;
  });
  return picture({
    width: Math.max(left + width + 12, titleWidth(title)),
    height: top + K * rowHeight + 10,
    title: title ?? "Vectors",
    description:
      `${K === 1 ? "A vector" : `${K} vectors`} of ${N} numbers, from ${numberText(Math.min(...data))} to ` +
      `${numberText(Math.max(...data))}.`,
    body: [...heading(title), ...rows],
  });
}

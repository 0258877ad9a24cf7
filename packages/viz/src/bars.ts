import { checks } from "@qkv/core";
import { checkData, checkLabels, checkSizes, checkTexts, type PictureData } from "./check-data.js";
import { numberText } from "./number-text.js";
import { fill, meanings, stroke, type Meaning } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { joinSvg, svg } from "./svg.js";

/** Options of {@link bars}. */
export type BarsOptions = {
  /** One label for each bar. Default: its number, from 0. */
  labels?: readonly string[];
  /** The name of the picture, drawn above it. */
  title?: string;
  /** Written after each number: `"ms"`, `"bytes"`. */
  unit?: string;
  /** Meaning of the bars, which gives their color. Default: `"cost"`, gray. */
  meaning?: Meaning;
  /** The number drawn at full length. Default: the largest magnitude of the picture. */
  max?: number;
  /** Length of the longest bar. Unit: pixels. Default 240. */
  length?: number;
};

const step = 24;

/**
 * Draws one bar for each number, with the number beside it. Bars of negative numbers go to the left of the line of 0.
 *
 * @param values - `[N]`, N values.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different.
 * @throws {ArgumentError} If a number is not finite, labels are too few or too many, or `max` is not positive.
 *
 * @example
 * ```ts
 * import { bars } from "@qkv/viz";
 *
 * const svg = bars({ data: [8, 2], shape: [2] }, { labels: ["MHA", "GQA"], unit: "MB" });
 * svg.includes("MHA: 8 MB"); // => true
 * ```
 */
export function bars(values: PictureData, options: BarsOptions = {}): string {
  const check = checks("bars");
  const {
    labels: given,
    title,
    unit,
    meaning = "cost",
    max: givenMax,
    length: fullLength = 240,
  } = check.options(options, ["labels", "title", "unit", "meaning", "max", "length"]);
  checkTexts(check, { title, unit });
  check.oneOf({ meaning }, meanings);
  checkSizes(check, { max: givenMax, length: fullLength });
  checkData(check, values, {
    argument: "values",
    ranks: [1],
    expected: "[N], with N of 1 or more",
    fix: "give one row of numbers.",
  });
  const data = Array.from(values.data);
  checkLabels(check, { labels: given }, data.length);
  const labels = given ?? data.map((_, i) => String(i));
  const texts = data.map((value) => numberText(value) + (unit ? ` ${unit}` : ""));
  const max = givenMax ?? (Math.max(...data.map(Math.abs)) || 1);
  const length = (value: number) => (Math.min(Math.abs(value), max) / max) * fullLength;

  const longestLeft = Math.max(0, ...data.map((value) => (value < 0 ? length(value) : 0)));
  const zero = 12 + labelWidth(labels) + 10 + longestLeft + (longestLeft > 0 ? labelWidth(texts) + 8 : 0);
  const top = title ? 36 : 12;
  const rows = data.map((value, i) => {
    const y = top + i * step;
    const end = zero + (value < 0 ? -length(value) : length(value));
    const look = svg`text-anchor="${value < 0 ? "end" : "start"}" ${fill("text")}`;
    return joinSvg([
      svg`<text x="12" y="${px(y + 15)}" ${fill("text")}>${labels[i]!}</text>`,
      svg`<rect x="${px(Math.min(zero, end))}" y="${px(y + 3)}" width="${px(length(value))}" height="${step - 6}" rx="2" ${fill(meaning)}>`,
      svg`<title>${labels[i]!}: ${texts[i]!}</title></rect>`,
      svg`<text x="${px(end + (value < 0 ? -6 : 6))}" y="${px(y + 15)}" ${look}>${texts[i]!}</text>`,
    ]);
  });
  const bottom = top + data.length * step;
  return picture({
    width: Math.max(zero + fullLength + labelWidth(texts) + 20, titleWidth(title)),
    height: bottom + 10,
    title: title ?? "Bars",
    description: `${labels.map((label, i) => `${label}: ${texts[i]}`).join("; ")}.`,
    body: [
      ...heading(title),
      svg`<line x1="${px(zero)}" y1="${top}" x2="${px(zero)}" y2="${bottom}" ${stroke("rule")}/>`,
      ...rows,
    ],
  });
}

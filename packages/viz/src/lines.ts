import { checks } from "@qkv/core";
import { axisLength, checkData, checkLabels, checkTexts, type PictureData } from "./check-data.js";
import { lineChart } from "./line-chart.js";
import { numberText } from "./number-text.js";
import { meanings, type Meaning } from "./palette.js";

/** Options of {@link lines}. */
export type LinesOptions = {
  /** One label for each line, written at its end. */
  labels?: readonly string[];
  /** The name of the picture, drawn above it. */
  title?: string;
  /** Labels of the axes, with units: `"step"`, `"loss"`. */
  xLabel?: string;
  yLabel?: string;
  /** The x coordinate of each number, `[N]`, rising. Default: 0, 1, 2, … */
  x?: PictureData;
  /** Meaning of each line, which gives its color. Default: `"cost"`, gray; lines are told apart by their dashes. */
  meanings?: readonly Meaning[];
};

/**
 * Draws one line for each row of numbers. Each point holds its numbers as an SVG `<title>`.
 *
 * @param values - `[N]` for one line of N points, `[K, N]` for K lines.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different, or `x` is not `[N]`.
 * @throws {ArgumentError} If a number is not finite, or labels or meanings are too few or too many.
 *
 * @example
 * ```ts
 * import { lines } from "@qkv/viz";
 *
 * const loss = { data: [3.5, 2.1, 1.7, 3.5, 3.4, 3.4], shape: [2, 3] };
 * const svg = lines(loss, { labels: ["two heads", "one head"], xLabel: "step", yLabel: "loss" });
 * svg.includes("two heads, step 2: 1.7"); // => true
 * ```
 */
export function lines(values: PictureData, options: LinesOptions = {}): string {
  const check = checks("lines");
  const {
    title,
    labels,
    xLabel,
    yLabel,
    x: places,
    meanings: kinds,
  } = check.options(options, ["labels", "title", "xLabel", "yLabel", "x", "meanings"]);
  checkTexts(check, { title, xLabel, yLabel });
  const accepted = { fix: "give one row of numbers for each line." };
  checkData(check, values, {
    ...accepted,
    argument: "values",
    ranks: [1, 2],
    expected: "[N] or [K, N], each axis 1 or more",
  });
  const [K, N] = (values.shape.length === 2 ? values.shape : [1, ...values.shape]) as [number, number];
  checkLabels(check, { labels, meanings: kinds }, K);
  kinds?.forEach((kind, k) => check.oneOf({ [`meanings[${k}]`]: kind }, meanings));
  const steps = () => ({ data: Array.from({ length: N }, (_, i) => i), shape: [N] });
  const x = places === undefined ? steps() : places;
  // Exactly [N], so that an `x` of another length is refused too.
  checkData(check, x, {
    ...accepted,
    argument: "x",
    ranks: axisLength(x, 0) === N ? [1] : [],
    expected: `[${N}], one for each number`,
  });

  const across = Array.from(x.data);
  const data = Array.from(values.data);
  const rows = Array.from({ length: K }, (_, k) => ({
    ...(labels && { label: labels[k]! }),
    meaning: kinds?.[k] ?? ("cost" as const),
    x: across,
    y: data.slice(k * N, (k + 1) * N),
  }));
  const names = labels ? `: ${labels.join(", ")}` : "";
  return lineChart(rows, {
    ...{ title, xLabel, yLabel },
    name: title ?? "Lines",
    description:
      `${K === 1 ? "A line" : `${K} lines`} of ${N} ${N === 1 ? "point" : "points"}${names}. ` +
      `The numbers go from ${numberText(Math.min(...data))} to ${numberText(Math.max(...data))}.`,
  });
}

import { checks } from "@qkv/core";
import { axisLength, checkData, checkLabels, checkTexts, type PictureData } from "./check-data.js";
import { numberText } from "./number-text.js";
import { fill, meanings, stroke, type Meaning } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { ticks } from "./ticks.js";
import { svg } from "./svg.js";

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

const plot = { width: 360, height: 200 };
const dashes = ["", "6 4", "2 3", "10 3 2 3"];

/**
 * Draws one line for each row of numbers. Each point holds its numbers as an SVG `<title>`.
 *
 * @param values - `[N]` for one line of N points, `[K, N]` for K lines.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is another, or `x` is not `[N]`.
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
  // A rank of 1 that is another N than the values' is caught by asking for exactly [N].
  checkData(check, x, {
    ...accepted,
    argument: "x",
    ranks: axisLength(x, 0) === N ? [1] : [],
    expected: `[${N}], one for each number`,
  });

  const data = Array.from(values.data);
  const across = Array.from(x.data);
  const yTicks = ticks(Math.min(...data), Math.max(...data));
  const xTicks = ticks(Math.min(...across), Math.max(...across));
  const yTexts = yTicks.map(numberText);
  const left = 12 + (yLabel ? 18 : 0) + labelWidth(yTexts) + 8;
  const top = title ? 40 : 14;
  const place = (value: number, [first = 0, ...rest]: number[], length: number) =>
    ((value - first) / ((rest.at(-1) ?? first) - first)) * length;
  const atX = (value: number) => left + place(value, xTicks, plot.width);
  const atY = (value: number) => top + plot.height - place(value, yTicks, plot.height);

  const grid = [
    ...yTicks.map(
      (tick, i) =>
        svg`<line x1="${px(left)}" y1="${px(atY(tick))}" x2="${px(left + plot.width)}" y2="${px(atY(tick))}" ${stroke("rule")}/><text x="${px(left - 8)}" y="${px(atY(tick) + 4)}" text-anchor="end" ${fill("quiet")}>${yTexts[i]!}</text>`,
    ),
    ...xTicks.map(
      (tick) =>
        svg`<text x="${px(atX(tick))}" y="${px(top + plot.height + 18)}" text-anchor="middle" ${fill("quiet")}>${numberText(tick)}</text>`,
    ),
    ...(xLabel
      ? [
          svg`<text x="${px(left + plot.width / 2)}" y="${px(top + plot.height + 38)}" text-anchor="middle" ${fill("text")}>${xLabel}</text>`,
        ]
      : []),
    ...(yLabel
      ? [
          svg`<text transform="translate(20 ${px(top + plot.height / 2)}) rotate(-90)" text-anchor="middle" ${fill("text")}>${yLabel}</text>`,
        ]
      : []),
  ];

  // Names of lines that end close together are moved apart: from the top down, then up from the lower edge.
  const ends = Array.from({ length: K }, (_, k) => ({ k, y: atY(data[k * N + N - 1]!) })).sort(
    (a, b) => a.y - b.y,
  );
  ends.forEach((end, i) => (end.y = Math.max(end.y, (ends[i - 1]?.y ?? -Infinity) + 14)));
  const lowest = top + plot.height + (xLabel ? 38 : 18);
  ends.toReversed().forEach((end, i) => (end.y = Math.min(end.y, lowest - 14 * i)));
  const drawn = Array.from({ length: K }, (_, k) => {
    const row = data.slice(k * N, (k + 1) * N);
    const meaning = kinds?.[k] ?? "cost";
    const points = row.map((value, i) => `${px(atX(across[i]!))},${px(atY(value))}`);
    const dots = row.map((value, i) => {
      const name = `${labels ? `${labels[k]}, ` : ""}${xLabel ?? "x"} ${numberText(across[i]!)}: ${numberText(value)}`;
      const [cx, cy] = [px(atX(across[i]!)), px(atY(value))];
      return svg`<circle cx="${cx}" cy="${cy}" r="${N > 40 ? 4 : 3}"><title>${name}</title></circle>`;
    });
    const y = (ends.find((end) => end.k === k)?.y ?? 0) + 4;
    return [
      svg`<polyline points="${points.join(" ")}" fill="none" stroke-width="2" stroke-linejoin="round" stroke-dasharray="${dashes[k % dashes.length]!}" ${stroke(meaning)}/>`,
      // Dots of dense lines would hide the dashes, so they are transparent: they only take the pointer.
      svg`<g ${fill(meaning)}${N > 40 ? svg` fill-opacity="0"` : ""}>${dots}</g>`,
      ...(labels
        ? [
            svg`<text x="${px(left + plot.width + 10)}" y="${px(y)}" ${fill(`${meaning}-text`)}>${labels[k]!}</text>`,
          ]
        : []),
    ];
  });

  const names = labels ? `: ${labels.join(", ")}` : "";
  return picture({
    width: Math.max(left + plot.width + 24 + labelWidth(labels ?? []), titleWidth(title)),
    height: top + plot.height + (xLabel ? 50 : 30),
    title: title ?? "Lines",
    description:
      `${K === 1 ? "A line" : `${K} lines`} of ${N} ${N === 1 ? "point" : "points"}${names}. ` +
      `The numbers go from ${numberText(Math.min(...data))} to ${numberText(Math.max(...data))}.`,
    body: [...heading(title), ...grid, ...drawn.flat()],
  });
}

import { checks } from "@qkv/core";
import {
  axisLength,
  checkData,
  checkLabels,
  checkObject,
  checkTexts,
  type PictureData,
} from "./check-data.js";
import { numberText } from "./number-text.js";
import { fill, meanings, stroke, type Meaning } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { joinSvg, svg } from "./svg.js";

/** A machine: its memory bandwidth is the slope of its roof, its peak FLOP/s the flat part. */
export type Roof = {
  bytesPerSecond: number;
  flopsPerSecond: number;
  label?: string;
};

/** Options of {@link roofline}. */
export type RooflineOptions = {
  /** One label for each dot. */
  labels?: readonly string[];
  /** The name of the picture, drawn above it. */
  title?: string;
  /** Meaning of each dot, which gives its color. Default: `"cost"`, gray. */
  meanings?: readonly Meaning[];
};

const plot = { width: 380, height: 220 };

/**
 * Draws the attainable FLOP/s of a machine over the arithmetic intensity, in FLOPs per byte. Left of the ridge point
 * operations are limited by memory bandwidth, right of it by arithmetic. Both axes are powers of ten. Each dot holds its numbers as an SVG `<title>`.
 *
 * @param points - `[N, 2]`: for each dot its FLOPs per byte, and its FLOPs per second.
 * @param roofs - The machines, one or more.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different.
 * @throws {ArgumentError} If there is no machine, a number is not above 0, or labels or meanings are too few or too many.
 *
 * @example
 * ```ts
 * import { roofline } from "@qkv/viz";
 *
 * const machine = { label: "A100", bytesPerSecond: 2e12, flopsPerSecond: 312e12 };
 * const svg = roofline({ data: [1, 2e12, 1000, 312e12], shape: [2, 2] }, [machine], { labels: ["token", "prompt"] });
 * svg.includes("token: 1 FLOPs a byte, 2 TFLOP/s"); // => true
 * ```
 */
export function roofline(points: PictureData, roofs: readonly Roof[], options: RooflineOptions = {}): string {
  const check = checks("roofline");
  const { labels, title, meanings: kinds } = check.options(options, ["labels", "title", "meanings"]);
  checkTexts(check, { title });
  const accepted = { fix: "give FLOPs a byte and FLOPs a second of each dot." };
  checkData(check, points, {
    ...accepted,
    argument: "points",
    ranks: axisLength(points, 1) === 2 ? [2] : [],
    expected: "[N, 2], N 1 or more",
  });
  const dots = Array.from({ length: points.shape[0]! }, (_, i) => ({
    x: points.data[2 * i]!,
    y: points.data[2 * i + 1]!,
  }));
  checkLabels(check, { labels, meanings: kinds }, dots.length);
  kinds?.forEach((kind, i) => check.oneOf({ [`meanings[${i}]`]: kind }, meanings));
  const fix = "an axis of powers of ten has no 0; leave such a dot out.";
  dots.forEach(({ x, y }, i) =>
    check.finite({ [`points.data[${2 * i}]`]: Math.min(x, y) }, { above: 0, fix }),
  );
  const some = (list: unknown) => Array.isArray(list) && list.length > 0;
  check.each({ roofs }, some, "one machine or more", "give its bytes and FLOPs a second.");
  roofs.forEach((roof, i) => {
    checkObject(check, { [`roofs[${i}]`]: roof }, "a machine with bytesPerSecond and flopsPerSecond");
    const { bytesPerSecond, flopsPerSecond, label } = roof;
    const at = `roofs[${i}]`;
    check.finite(
      { [`${at}.bytesPerSecond`]: bytesPerSecond, [`${at}.flopsPerSecond`]: flopsPerSecond },
      { above: 0, fix },
    );
    checkTexts(check, { [`${at}.label`]: label });
  });

  const bends = roofs.map(({ bytesPerSecond, flopsPerSecond }) => flopsPerSecond / bytesPerSecond);
  const xs = powers([...dots.map(({ x }) => x), ...bends.map((x) => x * 4), ...bends.map((x) => x / 4)]);
  const starts = roofs.map(({ bytesPerSecond }) => bytesPerSecond * 10 ** xs[0]!);
  const ys = powers([
    ...dots.flatMap(({ y }) => [y, y / 3]), // room for the name below a dot
    ...roofs.map(({ flopsPerSecond }) => flopsPerSecond),
    Math.max(...starts),
  ]);
  const yTexts = ys.map((power) => flopsText(10 ** power));
  const left = 30 + labelWidth(yTexts) + 8;
  const top = title ? 40 : 14;
  const atX = (x: number) => left + share(Math.log10(x), xs) * plot.width;
  const atY = (y: number) => top + plot.height * (1 - share(Math.log10(y), ys));

  const grid = [
    ...ys.map(
      (power, i) =>
        svg`<line x1="${px(left)}" y1="${px(atY(10 ** power))}" x2="${px(left + plot.width)}" y2="${px(atY(10 ** power))}" ${stroke("rule")}/><text x="${px(left - 8)}" y="${px(atY(10 ** power) + 4)}" text-anchor="end" ${fill("quiet")}>${yTexts[i]!}</text>`,
    ),
    ...xs.map(
      (power) =>
        svg`<text x="${px(atX(10 ** power))}" y="${px(top + plot.height + 18)}" text-anchor="middle" ${fill("quiet")}>${numberText(10 ** power)}</text>`,
    ),
    svg`<text x="${px(left + plot.width / 2)}" y="${px(top + plot.height + 38)}" text-anchor="middle" ${fill("text")}>FLOPs a byte</text>`,
    svg`<text transform="translate(20 ${px(top + plot.height / 2)}) rotate(-90)" text-anchor="middle" ${fill("text")}>speed</text>`,
  ];
  const [first, last] = [10 ** xs[0]!, 10 ** xs.at(-1)!];
  const floor = 10 ** ys[0]!;
  const lines = roofs.map(({ bytesPerSecond, flopsPerSecond, label }, i) => {
    // A slope that starts below the picture is clipped at its lower edge.
    const enter = Math.max(first, floor / bytesPerSecond);
    const corners = [
      [enter, enter * bytesPerSecond],
      [bends[i]!, flopsPerSecond],
      [last, flopsPerSecond],
    ] as const;
    const drawn = corners.map(([x, y]) => `${px(atX(x))},${px(atY(y))}`).join(" ");
    const name = `${label ? `${label}: ` : ""}${numberText(bytesPerSecond / 1e9)} GB/s, ${flopsText(flopsPerSecond)}, bend at ${numberText(bends[i]!)} FLOPs a byte`;
    return [
      svg`<polyline points="${drawn}" fill="none" stroke-width="2" stroke-dasharray="${["", "6 4", "2 3"][i % 3]!}" ${stroke("weight")}><title>${name}</title></polyline>`,
      label
        ? svg`<text x="${px(left + plot.width)}" y="${px(atY(flopsPerSecond) - 6)}" text-anchor="end" ${fill("weight-text")}>${label}</text>`
        : svg``,
    ];
  });
  // Names of dots that lie close together are moved apart, from the top down.
  const names = dots.map(({ x, y }, i) => ({ i, x: atX(x) + 6, y: atY(y) + 16 })).sort((a, b) => a.y - b.y);
  names.forEach((name, i) => (name.y = Math.max(name.y, (names[i - 1]?.y ?? -Infinity) + 13)));
  const marks = dots.map(({ x, y }, i) => {
    const meaning = kinds?.[i] ?? "cost";
    const text = `${labels ? `${labels[i]}: ` : ""}${numberText(x)} FLOPs a byte, ${flopsText(y)}`;
    const place = names.find((name) => name.i === i)!;
    return [
      svg`<circle cx="${px(atX(x))}" cy="${px(atY(y))}" r="5" ${fill(meaning)}><title>${text}</title></circle>`,
      labels
        ? svg`<text x="${px(place.x)}" y="${px(place.y)}" ${fill(`${meaning}-text`)}>${labels[i]!}</text>`
        : svg``,
    ];
  });
  const reach = Math.max(left + plot.width, ...names.map(({ i, x }) => x + labelWidth([labels?.[i] ?? ""])));
  return picture({
    width: Math.max(reach + 24, titleWidth(title)),
    height: top + plot.height + Math.max(50, (names.at(-1)?.y ?? 0) - top - plot.height + 12),
    title: title ?? "Roofline",
    description:
      `${roofs.map(({ label, ...roof }, i) => `${label ?? "The machine"}: ${numberText(roof.bytesPerSecond / 1e9)} GB/s and ${flopsText(roof.flopsPerSecond)}, bend at ${numberText(bends[i]!)} FLOPs a byte`).join(". ")}. ` +
      dots
        .map(
          ({ x, y }, i) => `${labels?.[i] ?? `Dot ${i + 1}`}: ${numberText(x)} FLOPs a byte, ${flopsText(y)}`,
        )
        .join(". ") +
      ".",
    body: [...heading(title), ...grid, ...[...lines, ...marks].map((parts) => joinSvg(parts))],
  });
}

/** The whole powers of ten around some numbers, at least two. */
function powers(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/** Position of a number on the logarithmic axis, from 0 to 1. */
const share = (power: number, [first = 0, ...rest]: readonly number[]): number =>
  (power - first) / ((rest.at(-1) ?? first) - first);

/** `2 TFLOP/s` */
function flopsText(flopsPerSecond: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(flopsPerSecond) / 3 + 1e-9)));
  return `${numberText(flopsPerSecond / 1000 ** step)} ${units[step]}FLOP/s`;
}

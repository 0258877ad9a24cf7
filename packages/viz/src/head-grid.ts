import { checks } from "@qkv/core";
import { checkSizes, checkTexts, type PictureData } from "./check-data.js";
import { checkWeights } from "./check-weights.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { weightShades } from "./weight-shades.js";
import { joinSvg, svg } from "./svg.js";

/** Options of {@link headGrid}. */
export type HeadGridOptions = {
  /** The side of one head. Unit: pixels. Default 56. */
  size?: number;
  /** Content of a row. Default `layer`. */
  rowName?: string;
  /** Query heads that share one key-value head stand together; their number. Default 1: each has its own. */
  groupSize?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

/**
 * Draws all heads of a model as small maps: a row for each layer, a column for each head. Rows of a map are queries,
 * columns keys, ink is weight. A line under neighbours joins those that share keys and values. Each map says its number
 * and its largest weight as an SVG `<title>`.
 *
 * @param weights - `[L, H, T, S]`.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is another.
 * @throws {ArgumentError} If a weight is negative or not finite, or there are more than 100,000.
 *
 * @example
 * ```ts
 * import { headGrid } from "@qkv/viz";
 *
 * const svg = headGrid({ data: [1, 0, 0.5, 0.5], shape: [1, 1, 2, 2] });
 * svg.includes("layer 0, head 0: largest weight 1, from token 0 to token 0"); // => true
 * ```
 */
export function headGrid(weights: PictureData, options: HeadGridOptions = {}): string {
  const check = checks("headGrid");
  const {
    size = 56,
    rowName = "layer",
    groupSize = 1,
    title,
  } = check.options(options, ["size", "rowName", "groupSize", "title"]);
  checkTexts(check, { rowName, title });
  checkSizes(check, { size });
  check.whole({ groupSize }, { min: 1, unit: "heads" });
  const {
    data,
    B: L,
    H,
    T,
    S,
  } = checkWeights(check, weights, {
    ranks: [4],
    expected: "[L, H, T, S]",
  });
  const left = 12 + labelWidth([`${rowName} ${L - 1}`]) + 8;
  const top = (title ? 36 : 12) + 16;
  const [across, down] = [size + 8, size + (groupSize > 1 ? 14 : 8)];
  const all = Array.from(data);
  const maps = Array.from({ length: L * H }, (_, i) => {
    const [layer, head] = [Math.floor(i / H), i % H];
    const [x, y] = [left + head * across, top + layer * down];
    const one = all.slice(i * T * S, (i + 1) * T * S);
    const at = one.reduce((best, weight, j) => (weight > one[best]! ? j : best), 0);
    const tooltip =
      `${rowName} ${layer}, head ${head}: largest weight ${numberText(one[at]!)}, ` +
      `from token ${Math.floor(at / S) + S - T} to token ${at % S}`;
    const shades = weightShades({ data: one, shape: [T, S] }, { size, x, y });
    const joined =
      groupSize > 1 && head % groupSize === 0
        ? svg`<path d="M${px(x)} ${px(y + size + 5)}h${px(across * (groupSize - 1) + size)}" stroke-width="2" ${stroke("key")}/>`
        : "";
    const square = svg`x="${px(x)}" y="${px(y)}" width="${size}" height="${size}"`;
    return joinSvg([
      svg`<g ${fill("weight")}><rect ${square} fill-opacity="0"><title>${tooltip}</title></rect>`,
      ...shades.map(
        ({ opacity, path }) => svg`<path d="${path}" fill-opacity="${opacity}" pointer-events="none"/>`,
      ),
      svg`</g><rect ${square} fill="none" ${stroke("rule")}/>${joined}`,
    ]);
  });
  const rows = Array.from(
    { length: L },
    (_, layer) =>
      svg`<text x="12" y="${px(top + layer * down + size / 2 + 4)}" ${fill("quiet")}>${rowName} ${layer}</text>`,
  );
  const columns = Array.from(
    { length: H },
    (_, head) =>
      svg`<text x="${px(left + head * across + size / 2)}" y="${px(top - 5)}" text-anchor="middle" ${fill("quiet")}>${head}</text>`,
  );
  return picture({
    width: Math.max(left + H * across + 4, titleWidth(title)),
    height: top + L * down + 6,
    title: title ?? "All heads",
    description:
      `${L * H} heads, ${H} in each of ${L} rows, as maps of ${T} queries by ${S} keys.` +
      (groupSize > 1 ? ` ${groupSize} neighbours share one key-value head.` : ""),
    body: [...heading(title), ...rows, ...columns, ...maps],
  });
}

import { fill } from "./palette.js";
import { labelWidth, px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

const line = 18; // pixels, for the name of an axis

/** The height of a line of letters: cells below it have no room for a label each. Unit: pixels. */
const letterHeight = 11;

/** Labels are drawn for each so many cells of a size. */
export const labelStep = (size: number): number => Math.max(1, Math.ceil(letterHeight / size));

/**
 * The labels of queries and keys around a map whose cells have sides of `size` pixels: how much room they need to its
 * left and above, and how to draw them around the corner `x`, `y` of the cells. Where cells are too small for a label each, some of
 * the labels are drawn, and of numbers that nobody gave none.
 *
 * @param rows - The labels that were given, or the count of rows, which are numbered.
 * @param columns - The same.
 */
export function mapAxes(
  rows: readonly string[] | number,
  columns: readonly string[] | number,
  size: number,
): { left: number; above: number; draw(x: number, y: number): Svg } {
  const step = labelStep(size);
  const [rowLabels, columnLabels] = [rows, columns].map((given) => {
    if (typeof given === "number") return step > 1 ? [] : Array.from({ length: given }, (_, i) => String(i));
    return given.filter((_, i) => i % step === 0);
  }) as [string[], string[]];
  const upright = labelWidth(columnLabels) > size * step; // keys stand on end unless each fits above its column
  const left = rowLabels.length > 0 ? labelWidth(rowLabels) + 8 : 0;
  const above = columnLabels.length === 0 ? 0 : upright ? labelWidth(columnLabels) + 4 : 14;

  const draw = (x: number, y: number): Svg => {
    const rowTexts = rowLabels.map((label, i) => {
      const t = i * step;
      const place = svg`x="${px(x - 6)}" y="${px(y + (t + 0.5) * size + 4)}" text-anchor="end"`;
      return svg`<text ${place} ${fill("query-text")}>${label}</text>`;
    });
    const columnTexts = columnLabels.map((label, i) => {
      const middle = x + (i * step + 0.5) * size;
      const place = upright
        ? svg`transform="translate(${px(middle + 4)} ${px(y - 5)}) rotate(-90)"`
        : svg`x="${px(middle)}" y="${px(y - 5)}" text-anchor="middle"`;
      return svg`<text ${place} ${fill("key-text")}>${label}</text>`;
    });
    const names = [
      svg`<text x="${px(x)}" y="${px(y - above - 6)}" ${fill("key-text")} font-weight="600">key →</text>`,
      svg`<text transform="translate(${px(x - left - 6)} ${px(y)}) rotate(-90)" text-anchor="end" ${fill("query-text")} font-weight="600">← query</text>`,
    ];
    return joinSvg([...names, ...rowTexts, ...columnTexts], "\n");
  };
  return { left: left + line, above: above + line, draw };
}

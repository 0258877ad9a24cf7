import { fill, type ThemeName } from "./palette.js";
import { labelWidth, px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

const line = 18; // pixels, for the name of an axis

/** Height of a label. Smaller cells cannot have one label each. Unit: pixels. */
const letterHeight = 11;

/** One label is drawn for this many cells. */
export const labelStep = (size: number): number => Math.max(1, Math.ceil(letterHeight / size));

/** Name of an axis, with its arrow, and the color of its labels. */
export type MapAxis = { name: string; color: ThemeName };

/** Rows are queries, columns are keys. */
const queryAndKey = {
  row: { name: "← query", color: "query-text" },
  column: { name: "key →", color: "key-text" },
} as const;

/**
 * Labels of the rows and columns of a map: their width to the left of the cells and their height above, in pixels, and a
 * function that draws them around the upper left corner `x`, `y` of the cells. `size` is the side of a cell in pixels, or its
 * width and height. If cells are too small for one label each, some labels are drawn; default numbers are not drawn then.
 *
 * @param rows - Labels, or the number of rows, which are numbered.
 * @param columns - Labels, or the number of columns.
 * @param axes - Names of the axes. Default: queries and keys.
 */
export function mapAxes(
  rows: readonly string[] | number,
  columns: readonly string[] | number,
  size: number | { readonly width: number; readonly height: number },
  { row, column }: { readonly row: MapAxis; readonly column: MapAxis } = queryAndKey,
): { left: number; above: number; draw(x: number, y: number): Svg } {
  const { width, height } = typeof size === "number" ? { width: size, height: size } : size;
  const [rowStep, columnStep] = [labelStep(height), labelStep(width)];
  const drawn = (given: readonly string[] | number, step: number) => {
    if (typeof given === "number") return step > 1 ? [] : Array.from({ length: given }, (_, i) => String(i));
    return given.filter((_, i) => i % step === 0);
  };
  const [rowLabels, columnLabels] = [drawn(rows, rowStep), drawn(columns, columnStep)];
  // Column labels are vertical unless each fits above its column.
  const upright = labelWidth(columnLabels) > width * columnStep;
  const left = rowLabels.length > 0 ? labelWidth(rowLabels) + 8 : 0;
  const above = columnLabels.length === 0 ? 0 : upright ? labelWidth(columnLabels) + 4 : 14;

  const draw = (x: number, y: number): Svg => {
    const rowTexts = rowLabels.map((label, i) => {
      const middle = y + (i * rowStep + 0.5) * height;
      const place = svg`x="${px(x - 6)}" y="${px(middle + 4)}" text-anchor="end"`;
      return svg`<text ${place} ${fill(row.color)}>${label}</text>`;
    });
    const columnTexts = columnLabels.map((label, i) => {
      const middle = x + (i * columnStep + 0.5) * width;
      const place = upright
        ? svg`transform="translate(${px(middle + 4)} ${px(y - 5)}) rotate(-90)"`
        : svg`x="${px(middle)}" y="${px(y - 5)}" text-anchor="middle"`;
      return svg`<text ${place} ${fill(column.color)}>${label}</text>`;
    });
    const names = [
      svg`<text x="${px(x)}" y="${px(y - above - 6)}" ${fill(column.color)} font-weight="600">${column.name}</text>`,
      svg`<text transform="translate(${px(x - left - 6)} ${px(y)}) rotate(-90)" text-anchor="end" ${fill(row.color)} font-weight="600">${row.name}</text>`,
    ];
    return joinSvg([...names, ...rowTexts, ...columnTexts], "\n");
  };
  return { left: left + line, above: above + line, draw };
}

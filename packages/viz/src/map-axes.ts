import { fill } from "./palette.js";
import { labelWidth, px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

const line = 18; // pixels, for the name of an axis

/**
 * The labels of queries and keys around a map whose cells have sides of `size` pixels: how much room they need to its
 * left and above, and how to draw them around the corner `x`, `y` of the cells.
 */
export function mapAxes(
  rows: readonly string[],
  columns: readonly string[],
  size: number,
): { left: number; above: number; draw(x: number, y: number): Svg } {
  const readable = size >= 11; // below that, letters of neighbours would overlap
  const upright = labelWidth(columns) > size; // keys stand on end unless each fits above its column
  const left = readable ? labelWidth(rows) + 8 : 0;
  const above = !readable ? 0 : upright ? labelWidth(columns) + 4 : 14;

  const draw = (x: number, y: number): Svg => {
    const rowTexts = rows.map((label, t) => {
      const place = svg`x="${px(x - 6)}" y="${px(y + (t + 0.5) * size + 4)}" text-anchor="end"`;
      return svg`<text ${place} ${fill("query-text")}>${label}</text>`;
    });
    const columnTexts = columns.map((label, s) => {
      const middle = x + (s + 0.5) * size;
      const place = upright
        ? svg`transform="translate(${px(middle + 4)} ${px(y - 5)}) rotate(-90)"`
        : svg`x="${px(middle)}" y="${px(y - 5)}" text-anchor="middle"`;
      return svg`<text ${place} ${fill("key-text")}>${label}</text>`;
    });
    const names = [
      svg`<text x="${px(x)}" y="${px(y - above - 6)}" ${fill("key-text")} font-weight="600">key →</text>`,
      svg`<text transform="translate(${px(x - left - 6)} ${px(y)}) rotate(-90)" text-anchor="end" ${fill("query-text")} font-weight="600">← query</text>`,
    ];
    return joinSvg(readable ? [...names, ...rowTexts, ...columnTexts] : names, "\n");
  };
  return { left: left + line, above: above + line, draw };
}

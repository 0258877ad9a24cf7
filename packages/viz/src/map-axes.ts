import { escapeText } from "./escape-text.js";
import { fill } from "./palette.js";
import { labelWidth, px } from "./picture.js";

const line = 18; // pixels, for the name of an axis

/**
 * The labels of queries and keys around a map whose cells have sides of `size` pixels: how much room they need to its
 * left and above, and how to draw them around the corner `x`, `y` of the cells.
 */
export function mapAxes(
  rows: readonly string[],
  columns: readonly string[],
  size: number,
): { left: number; above: number; draw(x: number, y: number): string } {
  const readable = size >= 11; // below that, letters of neighbours would overlap
  const upright = labelWidth(columns) > size; // keys stand on end unless each fits above its column
  const left = readable ? labelWidth(rows) + 8 : 0;
  const above = !readable ? 0 : upright ? labelWidth(columns) + 4 : 14;

  const draw = (x: number, y: number): string => {
    const rowTexts = rows.map((label, t) => {
      const place = `x="${px(x - 6)}" y="${px(y + (t + 0.5) * size + 4)}" text-anchor="end"`;
      return `<text ${place} ${fill("query-text")}>${escapeText(label)}</text>`;
    });
    const columnTexts = columns.map((label, s) => {
      const middle = x + (s + 0.5) * size;
      const place = upright
        ? `transform="translate(${px(middle + 4)} ${px(y - 5)}) rotate(-90)"`
        : `x="${px(middle)}" y="${px(y - 5)}" text-anchor="middle"`;
      return `<text ${place} ${fill("key-text")}>${escapeText(label)}</text>`;
    });
    return [
      `<text x="${px(x)}" y="${px(y - above - 6)}" ${fill("key-text")} font-weight="600">key →</text>`,
      `<text transform="translate(${px(x - left - 6)} ${px(y)}) rotate(-90)" text-anchor="end" ${fill("query-text")} font-weight="600">← query</text>`,
      ...(readable ? [...rowTexts, ...columnTexts] : []),
    ].join("\n");
  };
  return { left: left + line, above: above + line, draw };
}

import { escapeText } from "./escape-text.js";
import { hatch } from "./hatch.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { px } from "./picture.js";

/** One cell of a map: its weight, whether it is masked, and the query and key in words. */
export type Cell = { weight: number; masked: boolean; where: string };

/** Draws the cells of one head, row by row from the corner `x`, `y`, each with its number as a `<title>`. */
export function mapCells(
  cells: readonly Cell[],
  { x, y, size, columns, max }: { x: number; y: number; size: number; columns: number; max: number },
): string {
  const side = `width="${px(size)}" height="${px(size)}"`;
  const hatches: string[] = [];
  const squares = cells.map(({ weight, masked, where }, i) => {
    const [left, top] = [x + (i % columns) * size, y + Math.floor(i / columns) * size];
    if (masked) hatches.push(hatch(left, top, size));
    const look = masked
      ? 'class="qkv-masked" fill="none" pointer-events="all"'
      : `class="qkv-cell" fill-opacity="${Math.min(1, weight / max).toFixed(3)}"`;
    const title = `${where}: ${masked ? maskedText(weight) : numberText(weight)}`;
    return `<rect x="${px(left)}" y="${px(top)}" ${side} ${look}><title>${escapeText(title)}</title></rect>`;
  });
  const [width, height] = [columns * size, (cells.length / columns) * size];
  return [
    ...(hatches.length > 0 ? [`<path d="${hatches.join("")}" ${stroke("hatch")}/>`] : []),
    `<g ${fill("weight")}>`,
    ...squares,
    "</g>",
    `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" fill="none" ${stroke("rule")}/>`,
  ].join("\n");
}

/** An explicit mask may hide a weight that is not 0: a bug worth seeing, so the number stays. */
function maskedText(weight: number): string {
  return weight === 0 ? "masked" : `masked, yet ${numberText(weight)}`;
}

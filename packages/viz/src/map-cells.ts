import { hatch } from "./hatch.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

/** One cell of a map: its weight, whether it is masked, the query and key in words, and its formula if that is known. */
export type Cell = { weight: number; masked: boolean; where: string; formula?: string | undefined };

/** Draws the cells of one head, row by row from the corner `x`, `y`, each with its number as an SVG `<title>`. */
export function mapCells(
  cells: readonly Cell[],
  { x, y, size, columns, max }: { x: number; y: number; size: number; columns: number; max: number },
): Svg {
  const side = svg`width="${px(size)}" height="${px(size)}"`;
  const hatches: string[] = [];
  const squares = cells.map(({ weight, masked, where, formula }, i) => {
    const [left, top] = [x + (i % columns) * size, y + Math.floor(i / columns) * size];
    if (masked) hatches.push(hatch(left, top, size));
    const look = masked
      ? svg`class="qkv-masked" fill="none" pointer-events="all"`
      : svg`class="qkv-cell" fill-opacity="${Math.min(1, weight / max).toFixed(3)}"`;
    const title = `${where}: ${masked ? maskedText(weight) : numberText(weight)}`;
    const made = formula === undefined || masked ? "" : svg`<desc>${formula}</desc>`;
    return svg`<rect x="${px(left)}" y="${px(top)}" ${side} ${look}><title>${title}</title>${made}</rect>`;
  });
  const [width, height] = [columns * size, (cells.length / columns) * size];
  const parts = [
    ...(hatches.length > 0 ? [svg`<path d="${hatches.join("")}" ${stroke("hatch")}/>`] : []),
    svg`<g ${fill("weight")}>`,
    ...squares,
    svg`</g>`,
    svg`<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" fill="none" ${stroke("rule")}/>`,
  ];
  return joinSvg(parts, "\n");
}

/** An explicit mask may hide a weight that is not 0: a bug worth seeing, so the number stays. */
function maskedText(weight: number): string {
  return weight === 0 ? "masked" : `masked, yet ${numberText(weight)}`;
}

import { hatch } from "./hatch.js";
import { numberText } from "./number-text.js";
import { fill, light, stroke } from "./palette.js";
import { px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

/** One cell of a map. `name`: its query and key in words. `formula`: the softmax that gave its weight, if known. */
export type Cell = { weight: number; masked: boolean; name: string; formula?: string | undefined };

type CellsOptions = {
  x: number;
  y: number;
  size: number;
  columns: number;
  max: number;
  min?: number | undefined;
  /** True: a reader can choose a cell. */
  choosable?: boolean;
};

/**
 * Draws the cells of one head, row by row from the corner `x`, `y`, each with its number as an SVG `<title>`. Negative cells
 * are gray, darkest at `min`, and have a minus, so that they differ without color too.
 */
export function mapCells(
  cells: readonly Cell[],
  { x, y, size, columns, max, min = -1, choosable = false }: CellsOptions,
): Svg {
  const side = svg`width="${px(size)}" height="${px(size)}"`;
  const hatches: string[] = [];
  const minuses: string[] = [];
  const squares = cells.map(({ weight, masked, name, formula }, i) => {
    const [left, top] = [x + (i % columns) * size, y + Math.floor(i / columns) * size];
    if (masked) hatches.push(hatch(left, top, size));
    const below = weight < 0 && !masked;
    if (below) minuses.push(minusPath(left, top, size));
    const opacity = Math.min(1, weight / (below ? min : max)).toFixed(3);
    const look = masked
      ? svg`class="qkv-masked" fill="none" pointer-events="all"`
      : below
        ? svg`class="qkv-cell qkv-fill-cost" fill="${light.cost}" fill-opacity="${opacity}"`
        : svg`class="qkv-cell" fill-opacity="${opacity}"`;
    const title = `${name}: ${masked ? maskedText(weight) : numberText(weight)}`;
    const made = formula === undefined || masked ? "" : svg`<desc>${formula}</desc>`;
    const choice = choosable ? svg` data-qkv-cell="${Math.floor(i / columns)},${i % columns}"` : "";
    return svg`<rect${choice} x="${px(left)}" y="${px(top)}" ${side} ${look}><title>${title}</title>${made}</rect>`;
  });
  const [width, height] = [columns * size, (cells.length / columns) * size];
  const parts = [
    ...(hatches.length > 0 ? [svg`<path d="${hatches.join("")}" ${stroke("hatch")}/>`] : []),
    svg`<g ${fill("weight")}>`,
    ...squares,
    svg`</g>`,
    ...(minuses.length > 0
      ? [svg`<path d="${minuses.join("")}" pointer-events="none" ${stroke("text")}/>`]
      : []),
    svg`<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" fill="none" ${stroke("rule")}/>`,
  ];
  return joinSvg(parts, "\n");
}

/** The path of a minus in the middle of a square. */
export function minusPath(x: number, y: number, size: number): string {
  const half = Math.min(4, size / 4);
  return `M${px(x + size / 2 - half)} ${px(y + size / 2)}h${px(2 * half)}`;
}

/** Text of a masked cell. Its weight is written unless it is 0: a mask over another weight is a bug. */
export function maskedText(weight: number): string {
  return weight === 0 ? "masked" : `masked, yet ${numberText(weight)}`;
}

import { checks } from "@qkv/core";
import { checkTexts } from "./check-data.js";
import { hatch } from "./hatch.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { svg, type Svg } from "./svg.js";

/** Mask predicate: true if the query at one position sees the key at another. */
export type Sees = (query: number, key: number) => boolean;

/** Options of {@link maskTiles}. */
export type MaskTilesOptions = {
  /** T and S: the queries are the last `queryLength` of `keyLength` positions. Default: as many as there are keys. */
  queryLength?: number;
  /** The side of a tile. Unit: positions. Default 4. */
  tileSize?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

/**
 * Draws a mask cell by cell, and the tiles that a kernel divides it into: a fully masked tile is skipped, a tile
 * without masked cells needs no mask, and only in the rest each cell is tested. Each tile names its class in a
 * svg`<title>`.
 *
 * @param sees - The predicate of the mask, as `mask.bind(extent).sees`.
 * @param keyLength - S. At most 128.
 * @returns SVG text.
 * @throws {ArgumentError} If a size is not whole, or there are more queries than keys.
 *
 * @example
 * ```ts
 * import { maskTiles } from "@qkv/viz";
 *
 * const svg = maskTiles((query, key) => key <= query, 8);
 * svg.includes("1 of 4 tiles see nothing, 1 see all, 2 look at each cell"); // => true
 * ```
 */
export function maskTiles(sees: Sees, keyLength: number, options: MaskTilesOptions = {}): string {
  const check = checks("maskTiles");
  const given = check.options(options, ["queryLength", "tileSize", "title"]);
  check.type({ sees }, "function", "give the predicate of a mask: (query, key) => key <= query.");
  const fix = "draw a part of a larger mask.";
  check.whole({ keyLength }, { min: 1, max: 128, fix });
  const { queryLength = keyLength, tileSize = Math.min(4, keyLength), title } = given;
  check.whole({ queryLength, tileSize }, { min: 1, max: keyLength, fix });
  checkTexts(check, { title });
  const [T, S] = [queryLength, keyLength];
  const size = Math.max(3, Math.min(20, Math.floor(400 / S)));
  const top = (title ? 36 : 12) + 16;
  const left = 30;
  const count = { none: 0, all: 0, some: 0 };
  const cells: string[] = [];
  const hatches: string[] = [];
  const frames: Svg[] = [];
  for (let t = 0; t < T; t += tileSize) {
    for (let s = 0; s < S; s += tileSize) {
      const [h, w] = [Math.min(tileSize, T - t), Math.min(tileSize, S - s)];
      let seen = 0;
      for (let i = t; i < t + h; i++) {
        for (let j = s; j < s + w; j++) {
          const [x, y] = [left + j * size, top + i * size];
          if (sees(i + S - T, j)) {
            seen++;
            cells.push(`M${px(x)} ${px(y)}h${size}v${size}h-${size}z`);
          } else hatches.push(hatch(x, y, size));
        }
      }
      const kind = seen === 0 ? "none" : seen === h * w ? "all" : "some";
      count[kind]++;
      const tooltip = `queries ${t + S - T} to ${t + S - T + h - 1}, keys ${s} to ${s + w - 1}: ${names[kind]}`;
      const place = svg`x="${px(left + s * size)}" y="${px(top + t * size)}" width="${w * size}" height="${h * size}"`;
      frames.push(
        svg`<rect ${place} ${fill("weight")} fill-opacity="${kind === "some" ? 0.14 : 0}"><title>${tooltip}</title></rect><rect ${place} fill="none" pointer-events="none" ${stroke("quiet")}/>`,
      );
    }
  }
  const total = count.none + count.all + count.some;
  const summary = `${count.none} of ${total} tiles see nothing, ${count.all} see all, ${count.some} look at each cell`;
  return picture({
    width: Math.max(left + S * size + 12, labelWidth([summary]) + 40, titleWidth(title)),
    height: top + T * size + 34,
    title: title ?? "A mask and its tiles",
    description: `${T} queries by ${S} keys in tiles of ${tileSize}: ${summary}.`,
    body: [
      ...heading(title),
      svg`<text x="${left}" y="${px(top - 6)}" ${fill("key-text")} font-weight="600">key →</text>`,
      svg`<text transform="translate(22 ${px(top)}) rotate(-90)" text-anchor="end" ${fill("query-text")} font-weight="600">← query</text>`,
      svg`<path d="${cells.join("")}" ${fill("weight")} fill-opacity="0.55"/>`,
      svg`<path d="${hatches.join("")}" ${stroke("hatch")}/>`,
      ...frames,
      svg`<text x="12" y="${px(top + T * size + 22)}" ${fill("text")}>${summary}</text>`,
    ],
  });
}

const names = {
  none: "sees nothing, never read",
  all: "sees all, no mask needed",
  some: "looks at each cell",
};

import { checks } from "@qkv/core";
import { checkObject, checkTexts } from "./check-data.js";
import { hatch } from "./hatch.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { svg, type Svg } from "./svg.js";

/** A mask as tiles of queries and keys. A `TilePlan` of `@qkv/attention-contract` fits. */
export type TileClasses = {
  /** Queries and keys of one tile. */
  readonly queryTile: number;
  readonly keyTile: number;
  /** Tiles along queries and keys. */
  readonly rows: number;
  readonly columns: number;
  /** `[..., rows, columns]`, the class of each tile: 0, no pair is visible; 1, some are; 2, all are. */
  readonly classes: ArrayLike<number>;
};

/** Options of {@link planTiles}. */
export type PlanTilesOptions = {
  /** Index of the batch and head that is drawn, counted over all leading axes of the plan. Default 0. */
  plane?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

/**
 * Draws the tiles that a kernel visits: a skipped tile is hatched, a whole one is filled, and a partial one, in which each
 * pair of query and key is tested, is half filled along its diagonal. Each tile names its class in a svg`<title>`.
 *
 * @param plan - At most 64 by 64 tiles.
 * @returns SVG text.
 * @throws {ArgumentError} If it is no plan, has more tiles, or `plane` is out of range.
 *
 * @example
 * ```ts
 * import { planTiles } from "@qkv/viz";
 *
 * const causal = { queryTile: 64, keyTile: 64, rows: 2, columns: 2, classes: [1, 0, 2, 1] };
 * planTiles(causal).includes("1 of 4 tiles skipped, 2 partial, 1 whole"); // => true
 * ```
 */
export function planTiles(plan: TileClasses, options: PlanTilesOptions = {}): string {
  const check = checks("planTiles");
  const { plane = 0, title } = check.options(options, ["plane", "title"]);
  checkObject(check, { plan }, "a plan of tiles");
  const { queryTile, keyTile, rows, columns, classes } = plan;
  check.whole({ queryTile, keyTile }, { min: 1, fix: "pass the plan of a mask, as `tilePlan` makes it." });
  check.whole({ rows, columns }, { min: 1, max: 64, fix: "draw the plan of fewer queries and keys." });
  checkObject(check, { "plan.classes": classes }, "a list of 0, 1 and 2");
  const planes = Math.floor(classes.length / (rows * columns));
  check.whole({ plane }, { min: 0, max: planes - 1, fix: `the plan has ${planes}, counted from 0.` });
  checkTexts(check, { title });
  const size = Math.max(6, Math.min(40, Math.floor(380 / Math.max(rows, columns))));
  const [left, top] = [30, (title ? 36 : 12) + 16];
  const paths = { skipped: "", partial: "", whole: "" };
  const count = { skipped: 0, partial: 0, whole: 0 };
  const frames: Svg[] = [];
  for (let tile = 0; tile < rows * columns; tile++) {
    const [row, column] = [Math.floor(tile / columns), tile % columns];
    const [x, y] = [left + column * size, top + row * size];
    const kind = kinds[classes[plane * rows * columns + tile]!] ?? "skipped";
    count[kind] += 1;
    paths[kind] +=
      kind === "skipped"
        ? hatch(x, y, size)
        : `M${px(x)} ${px(y)}v${size}h${size}${kind === "whole" ? `v-${size}` : ""}z`;
    const place = svg`x="${px(x)}" y="${px(y)}" width="${size}" height="${size}"`;
    const name = `queries ${row * queryTile} to ${(row + 1) * queryTile - 1}, keys ${column * keyTile} to ${(column + 1) * keyTile - 1}: ${kind}`;
    frames.push(
      svg`<rect ${place} ${stroke("quiet")} fill="none" pointer-events="all"><title>${name}</title></rect>`,
    );
  }
  const summary = `${count.skipped} of ${rows * columns} tiles skipped, ${count.partial} partial, ${count.whole} whole`;
  return picture({
    width: Math.max(left + columns * size + 12, labelWidth([summary]) + 40, titleWidth(title)),
    height: top + rows * size + 34,
    title: title ?? "Tiles of a mask",
    description: `${rows} by ${columns} tiles of ${queryTile} queries and ${keyTile} keys: ${summary}.`,
    body: [
      ...heading(title),
      svg`<text x="${left}" y="${px(top - 6)}" ${fill("key-text")} font-weight="600">keys →</text>`,
      svg`<text transform="translate(22 ${px(top)}) rotate(-90)" text-anchor="end" ${fill("query-text")} font-weight="600">← queries</text>`,
      svg`<path d="${paths.whole}" ${fill("weight")} fill-opacity="0.7"/>`,
      svg`<path d="${paths.partial}" ${fill("weight")} fill-opacity="0.4"/>`,
      svg`<path d="${paths.skipped}" ${stroke("hatch")}/>`,
      ...frames,
      svg`<text x="12" y="${px(top + rows * size + 22)}" ${fill("text")}>${summary}</text>`,
    ],
  });
}

const kinds = ["skipped", "partial", "whole"] as const;

import { checks, ShapeError, type Checks } from "@qkv/core";
import { checkObject, checkSizes, checkTexts, type PictureData } from "./check-data.js";
import { checkWeights } from "./check-weights.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { largestOfBlocks, type HeadWeights } from "./largest-of-blocks.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { weightShades } from "./weight-shades.js";
import { joinSvg, svg } from "./svg.js";

/** Options of {@link headGrid}. */
export type HeadGridOptions = {
  /** The side of one head. Unit: pixels. Default 56. */
  size?: number;
  /** Content of a row. Default `layer`. */
  rowName?: string;
  /** Number of adjacent query heads that share one key-value head. Default 1: none is shared. */
  groupSize?: number;
  /** The head that was chosen, which gets a frame. Default: none. */
  selected?: SelectedHead | undefined;
  /** The name of the picture, drawn above it. */
  title?: string;
};

/** A head of a grid. */
export type SelectedHead = {
  /** The row: a layer, or an entry of a batch. */
  readonly layer: number;
  readonly head: number;
};

/** Maximum number of cells of all maps together. In larger grids a cell is the largest weight of a block. */
const maxDrawn = 400_000;
const maxHeads = 10_000;

/**
 * Draws all heads of a model as small maps: a row for each layer, a column for each head. Rows of a map are queries,
 * columns keys; a darker cell is a larger weight. A line under neighbors joins those that share keys and values. The SVG
 * `<title>` of a map has the number of its head and its largest weight. Above 400,000 weights, a cell is the largest of a
 * block of them, and the description gives the size of a block.
 *
 * @param weights - `[L, H, T, S]`.
 * @returns SVG text.
 * @throws {ShapeError} If the shape is different, or there are more than 10,000 heads.
 * @throws {ArgumentError} If a weight is negative or not finite, or `selected` is no head of the grid.
 *
 * @example
 * ```ts
 * import { headGrid } from "@qkv/viz";
 *
 * const svg = headGrid({ data: [1, 0, 0.5, 0.5], shape: [1, 1, 2, 2] });
 * svg.includes("layer 0, head 0: largest weight 0.5, from token 1 to token 0"); // => true
 * ```
 */
export function headGrid(weights: PictureData, options: HeadGridOptions = {}): string {
  const check = checks("headGrid");
  const {
    size = 56,
    rowName = "layer",
    groupSize = 1,
    selected,
    title,
  } = check.options(options, ["size", "rowName", "groupSize", "selected", "title"]);
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
    limit: Infinity,
  });
  if (L * H > maxHeads) {
    const [expected, fix] = [`${maxHeads} heads or fewer`, "draw some of the layers."];
    check.refuse({ argument: "weights", received: weights.shape, expected, fix }, ShapeError);
  }
  if (selected !== undefined) checkSelected(check, selected, L, H);
  const side = Math.max(1, Math.floor(Math.sqrt(maxDrawn / (L * H))));
  // Blocks of weights that give a map at most `side` rows and columns, or single weights if there are few enough.
  const block: readonly [number, number] =
    L * H * T * S > maxDrawn ? [Math.ceil(T / side), Math.ceil(S / side)] : [1, 1];
  const left = 12 + labelWidth([`${rowName} ${L - 1}`]) + 8;
  const top = (title ? 36 : 12) + 16;
  const [across, down] = [size + 8, size + (groupSize > 1 ? 14 : 8)];
  const maps = Array.from({ length: L * H }, (_, i) => {
    const [layer, head] = [Math.floor(i / H), i % H];
    const [x, y] = [left + head * across, top + layer * down];
    const headWeights = { data, offset: i * T * S, shape: [T, S] as const };
    const at = largestIndex(headWeights);
    const tooltip =
      `${rowName} ${layer}, head ${head}: largest weight ${numberText(data[headWeights.offset + at]!)}, ` +
      `from token ${Math.floor(at / S) + S - T} to token ${at % S}`;
    const shades = weightShades(largestOfBlocks(headWeights, block), { size, x, y });
    const joined =
      groupSize > 1 && head % groupSize === 0
        ? svg`<path d="M${px(x)} ${px(y + size + 5)}h${px(across * (groupSize - 1) + size)}" stroke-width="2" ${stroke("key")}/>`
        : "";
    const square = svg`x="${px(x)}" y="${px(y)}" width="${size}" height="${size}"`;
    const frame =
      selected?.layer === layer && selected.head === head
        ? svg`<rect data-qkv-selected="" ${square} fill="none" pointer-events="none" stroke-width="3" ${stroke("query")}/>`
        : "";
    return joinSvg([
      svg`<g ${fill("weight")}><rect data-qkv-head="${layer},${head}" ${square} fill-opacity="0"><title>${tooltip}</title></rect>`,
      ...shades.map(
        ({ opacity, path }) => svg`<path d="${path}" fill-opacity="${opacity}" pointer-events="none"/>`,
      ),
      svg`</g><rect ${square} fill="none" ${stroke("rule")}/>${joined}${frame}`,
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
      (groupSize > 1 ? ` ${groupSize} neighbours share one key-value head.` : "") +
      (block[0] * block[1] > 1
        ? ` A cell is the largest weight of ${block[0]} queries and ${block[1]} keys.`
        : "") +
      (selected ? ` ${rowName} ${selected.layer}, head ${selected.head} is selected.` : ""),
    body: [...heading(title), ...rows, ...columns, ...maps],
  });
}

/** Index of the largest weight of a head, the first of equal ones. The first query is left out if it sees only itself. */
function largestIndex({ data, offset, shape: [T, S] }: HeadWeights): number {
  let best = T > 1 && data[offset] === 1 ? S : 0;
  for (let i = best + 1; i < T * S; i++) if (data[offset + i]! > data[offset + best]!) best = i;
  return best;
}

function checkSelected(check: Checks, selected: SelectedHead, L: number, H: number): void {
  checkObject(check, { selected }, "a head, { layer, head }");
  const { layer, head } = check.options(selected, ["layer", "head"], "selected");
  const fix = "leave `selected` out for none.";
  check.whole({ "selected.layer": layer }, { min: 0, max: L - 1, fix });
  check.whole({ "selected.head": head }, { min: 0, max: H - 1, fix });
}

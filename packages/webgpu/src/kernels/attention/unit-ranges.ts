import type { callSizes, TilePlan } from "@qkv/attention-contract";
import { blockSize } from "./block-text.js";
import { planTile, type UploadedPlan } from "./plan-words.js";

type Sizes = ReturnType<typeof callSizes>;

/**
 * Splits the workgroups (units) of a kernel into ranges, one per dispatch, of a limited number of FLOPs or a single workgroup:
 * browsers abort dispatches that run for seconds.
 *
 * @param flopsOf - FLOPs of a workgroup.
 * @param largest - FLOPs of the largest workgroup.
 * @returns First workgroup and end of each range.
 */
export function unitRanges(
  units: number,
  flopsOf: (unit: number) => number,
  largest: number,
  most: number,
): readonly (readonly [first: number, end: number])[] {
  if (units === 0) return [];
  if (units * largest <= most) return [[0, units]];
  const ranges: [number, number][] = [];
  let [first, sum] = [0, 0];
  for (let unit = 0; unit < units; unit++) {
    const flops = flopsOf(unit);
    if (sum + flops > most && unit > first) {
      ranges.push([first, unit]);
      [first, sum] = [unit, 0];
    }
    sum += flops;
  }
  return [...ranges, [first, units]];
}

/** FLOPs of a workgroup that computes 32 queries, and those of the largest one. */
export function queryBlockFlops(plan: TilePlan, { rowTiles }: UploadedPlan, sizes: Sizes, perPair: number) {
  const { H, T } = sizes;
  const blocks = Math.ceil(T / blockSize);
  const perTile = blockSize * planTile * perPair;
  return {
    units: sizes.B * H * blocks,
    largest: rowTiles.reduce((a, b) => Math.max(a, b), 0) * perTile,
    flopsOf(unit: number) {
      const row = Math.floor(((unit % blocks) * blockSize) / planTile);
      const head = Math.floor(unit / blocks);
      return rowTiles[planIndex(plan, Math.floor(head / H), head % H) * plan.rows + row]! * perTile;
    },
  };
}

/** FLOPs of a workgroup that computes the gradients of 32 keys, and those of the largest one. */
export function keyBlockFlops(plan: TilePlan, { columnTiles }: UploadedPlan, sizes: Sizes, perPair: number) {
  const { B, Hkv, S, group } = sizes;
  const blocks = Math.ceil(S / blockSize);
  const perTile = blockSize * planTile * perPair;
  return {
    units: B * Hkv * blocks,
    largest: columnTiles.reduce((a, b) => Math.max(a, b), 0) * group * perTile,
    flopsOf(unit: number) {
      const column = Math.floor(((unit % blocks) * blockSize) / planTile);
      const shared = Math.floor(unit / blocks);
      let tiles = 0;
      for (let i = 0; i < group; i++) {
        const plane = planIndex(plan, Math.floor(shared / Hkv), (shared % Hkv) * group + i);
        tiles += columnTiles[plane * plan.columns + column]!;
      }
      return tiles * perTile;
    },
  };
}

/** Index of the plan's tiles of a batch and a head, which may share them with others. */
const planIndex = ({ batches, heads }: TilePlan, b: number, h: number) =>
  (batches > 1 ? b * heads : 0) + (heads > 1 ? h : 0);

import type { BoundMask, KeyValues, Mask, TilePlan } from "@qkv/tensor";
import { keyPositions } from "@qkv/tensor/key-values";
import { tilePlan } from "@qkv/tensor/tile-plan";

/** A mask that is bound to the lengths of a call: once, or for each batch where their lengths differ. */
export type BoundMasks = readonly BoundMask[];

type Call = {
  readonly batches: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly firstQuery: number | Int32Array;
  readonly positions: KeyValues["positions"];
};

/** The last plan of each mask: layers of one model ask for the same one after the other. */
const plans = new WeakMap<Mask, { key: string; plan: TilePlan }>();

/** The plan of a mask for one call; made once while mask and sizes stay the same. */
export function planFor(mask: Mask | undefined, bound: BoundMasks | undefined, call: Call): TilePlan {
  const { batches, heads, queries, keys, firstQuery, positions } = call;
  const make = () =>
    tilePlan(
      bound,
      {
        batches,
        heads,
        queries,
        firstQuery,
        keyPositions: keyPositions(positions, keys),
      },
      mask?.perBatch ?? false,
      mask?.perHead ?? false,
    );
  if (!mask || !("start" in positions)) return make();
  const key = [batches, heads, queries, keys, positions.start].join();
  const last = plans.get(mask);
  if (last?.key === key) return last.plan;
  const plan = make();
  plans.set(mask, { key, plan });
  return plan;
}

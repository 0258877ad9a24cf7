import type { BoundMask, KeyValues, Mask, TilePlan } from "@qkv/tensor";
import { keyPositions } from "./attention-rows.js";
import { tilePlan } from "./tile-plan.js";

type Call = {
  readonly batches: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly positions: KeyValues["positions"];
};

/** The last plan of each mask: layers of one model ask for the same one after the other. */
const plans = new WeakMap<Mask, { key: string; plan: TilePlan }>();

/** The plan of a mask for one call; made once while mask and sizes stay the same. */
export function planFor(mask: Mask | undefined, bound: BoundMask | undefined, call: Call): TilePlan {
  const { batches, heads, queries, keys, positions } = call;
  const keyLength = keyLengthOf(positions, keys);
  const make = () =>
    tilePlan(
      bound,
      {
        batches,
        heads,
        queries,
        firstQuery: keyLength - queries,
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

/** How long the sequence is up to the last key: queries are the last positions of it. */
export function keyLengthOf(positions: KeyValues["positions"], keys: number): number {
  return "start" in positions ? positions.start + keys : positions.reduce((a, b) => Math.max(a, b + 1), 0);
}

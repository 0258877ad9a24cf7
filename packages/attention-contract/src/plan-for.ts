import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values/key-values.js";
import { keyLengths, keyPositions } from "./key-values/positions.js";
import { segmentLength } from "./key-values/segments.js";
import { storedPositions } from "./key-values/stored-positions.js";
import type { BoundMask, Mask } from "./mask.js";
import { tilePlan, type PlanExtent, type TilePlan } from "./tile-plan.js";

/** Sizes and positions of a call, on which its tile plan depends. */
export type Places = Omit<PlanExtent, "keyPositions"> &
  Pick<KeyValues, "positions"> & {
    /** Number of stored keys. */
    readonly keys: number;
  };

/**
 * Sizes and positions of a call: `places`; `lengths`, the length of each sequence, or one number if all are equal; and `bind`, which
 * binds a mask to these lengths.
 */
export function callPlaces(
  keyValues: KeyValues<Pick<Tensor, "shape">>,
  { batches, heads, queries }: Pick<Places, "batches" | "heads" | "queries">,
) {
  const keys = keyValues.key.reduce((sum, segment) => sum + segmentLength(segment), 0);
  const positions = storedPositions(keyValues, batches);
  const lengths = keyLengths(positions, keys, batches);
  const first = lengths.map((length) => length - queries);
  const firstQuery = first.length === 1 ? first[0]! : Int32Array.from(first);
  const places: Places = { batches, heads, queries, keys, positions, firstQuery };
  const bind = (mask: Mask | undefined) =>
    mask && lengths.map((keyLength) => mask.bind({ queryLength: queries, keyLength, batches, heads }));
  return { places, lengths, bind };
}

/** The last plan of each mask. The layers of a model request the same plan one after another. */
const plans = new WeakMap<Mask, { places: Places; plan: TilePlan }>();

/**
 * Returns the tile plan of a mask for one call. It is computed again only if the mask or the sizes differ from the last call.
 *
 * @param bind - Returns the mask bound to the lengths of the call. Called only if a plan is computed.
 */
export function planFor(
  mask: Mask | undefined,
  bind: () => readonly BoundMask[] | undefined,
  places: Places,
): TilePlan {
  const last = mask && plans.get(mask);
  if (last && isSamePlan(last.places, places)) return last.plan;
  const { positions, keys } = places;
  const plan = tilePlan(
    bind(),
    { ...places, keyPositions: keyPositions(positions, keys) },
    mask?.perBatch ?? false,
    mask?.perHead ?? false,
  );
  if (mask && "start" in positions) plans.set(mask, { places, plan });
  return plan;
}

/** True if both calls have the same plan. It is decided for keys without gaps only, whose positions follow from the sizes. */
function isSamePlan(a: Places, b: Places): boolean {
  return (
    "start" in b.positions &&
    a.firstQuery === b.firstQuery &&
    a.keys === b.keys &&
    a.queries === b.queries &&
    a.batches === b.batches &&
    a.heads === b.heads
  );
}

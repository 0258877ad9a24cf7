import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values/key-values.js";
import { keyLengthsOf, keyPositions } from "./key-values/positions.js";
import { segmentLength } from "./key-values/segments.js";
import { storedPositions } from "./key-values/stored-positions.js";
import type { BoundMask, Mask } from "./mask.js";
import { tilePlan, type PlanExtent, type TilePlan } from "./tile-plan.js";

/** Sizes and positions that a plan is made for. */
export type Places = Omit<PlanExtent, "keyPositions"> &
  Pick<KeyValues, "positions"> & {
    /** Number of stored keys. */
    readonly keys: number;
  };

/** Places of a call, the length of each sequence (one where all are alike), and the masks that a mask is for them. */
export function callPlaces(
  keyValues: KeyValues<Pick<Tensor, "shape">>,
  { batches, heads, queries }: Pick<Places, "batches" | "heads" | "queries">,
) {
  const keys = keyValues.key.reduce((sum, segment) => sum + segmentLength(segment), 0);
  const positions = storedPositions(keyValues, batches);
  const lengths = keyLengthsOf(positions, keys, batches);
  const first = lengths.map((length) => length - queries);
  const firstQuery = first.length === 1 ? first[0]! : Int32Array.from(first);
  const places: Places = { batches, heads, queries, keys, positions, firstQuery };
  const bind = (mask: Mask | undefined) =>
    mask && lengths.map((keyLength) => mask.bind({ queryLength: queries, keyLength, batches, heads }));
  return { places, lengths, bind };
}

/** The last plan of each mask: layers of one model ask for the same one after the other. */
const plans = new WeakMap<Mask, { places: Places; plan: TilePlan }>();

/**
 * The plan of a mask for one call; made once while mask and sizes stay the same.
 *
 * @param bind - Fixes the mask's extent. Called when a plan is made.
 */
export function planFor(
  mask: Mask | undefined,
  bind: () => readonly BoundMask[] | undefined,
  places: Places,
): TilePlan {
  const last = mask && plans.get(mask);
  if (last && alike(last.places, places)) return last.plan;
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

/** True if keys without gaps stand as they did: the numbers of keys and queries, and the first of these, tell all. */
function alike(a: Places, b: Places): boolean {
  return (
    "start" in b.positions &&
    a.firstQuery === b.firstQuery &&
    a.keys === b.keys &&
    a.queries === b.queries &&
    a.batches === b.batches &&
    a.heads === b.heads
  );
}

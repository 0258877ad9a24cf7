import {
  type BoundMask,
  type KeyValues,
  type Mask,
  type TilePlan,
  keyPositions,
  tilePlan,
  type PlanExtent,
} from "@qkv/attention-contract";

/** Sizes and positions that a plan is made for. */
export type Places = Omit<PlanExtent, "keyPositions"> &
  Pick<KeyValues, "positions"> & {
    /** Number of stored keys. */
    readonly keys: number;
  };

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

import type { BoundMask, KeyValues, Mask, TilePlan } from "@qkv/tensor";
import { keyPositions } from "@qkv/tensor/key-values";
import { tilePlan, type PlanExtent } from "@qkv/tensor/tile-plan";

/** What a plan is made for. */
export type Places = Omit<PlanExtent, "keyPositions"> &
  Pick<KeyValues, "positions"> & {
    /** How many keys are stored. */
    readonly keys: number;
  };

/** The last plan of each mask: layers of one model ask for the same one after the other. */
const plans = new WeakMap<Mask, { key: string; plan: TilePlan }>();

/** The plan of a mask for one call; made once while mask and sizes stay the same. */
export function planFor(
  mask: Mask | undefined,
  bound: readonly BoundMask[] | undefined,
  places: Places,
): TilePlan {
  const { positions, keys } = places;
  const make = () =>
    tilePlan(
      bound,
      { ...places, keyPositions: keyPositions(positions, keys) },
      mask?.perBatch ?? false,
      mask?.perHead ?? false,
    );
  if (!mask || !("start" in positions)) return make();
  const key = JSON.stringify(places);
  const last = plans.get(mask);
  if (last?.key === key) return last.plan;
  const plan = make();
  plans.set(mask, { key, plan });
  return plan;
}

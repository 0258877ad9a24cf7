import {
  firstQueryPosition,
  storedPositions,
  type AttentionCall,
  type callSizes,
} from "@qkv/attention-contract";
import type { Params } from "../../params.js";
import type { ViewLayout } from "../../store.js";

type Sizes = Pick<ReturnType<typeof callSizes>, "B" | "H" | "T" | "S" | "group">;

/**
 * Adds the parameters of the score functions, and returns their words: the position of the first query of each batch, then the
 * positions of the keys if they are not consecutive (`listed`).
 */
export function addScoreParams(
  params: Params,
  { keyValues, firstQuery, scale, softcap = 0, plan }: AttentionCall<ViewLayout>,
  { B, H, T, S, group }: Sizes,
): { readonly words: Int32Array; readonly listed: boolean } {
  params.u32("T", T).u32("S", S).u32("H", H).u32("group", group).f32("scale", scale);
  params
    .f32("softcap", softcap || 1)
    .u32("tiles", plan.classes.length)
    .u32("columns", plan.columns);
  params.u32("planHead", plan.heads > 1 ? plan.rows * plan.columns : 0);
  params.u32("planBatch", plan.batches > 1 ? plan.heads * plan.rows * plan.columns : 0);
  const stored = storedPositions(keyValues, B);
  const listed = !("start" in stored);
  const words = new Int32Array(B + (listed ? stored.length : 0));
  for (let b = 0; b < B; b++) words[b] = firstQueryPosition(firstQuery, b);
  if (listed) words.set(stored, B);
  const lists = listed ? stored.length / Math.max(1, S) : 1;
  params.i32("firstKey", listed ? 0 : stored.start);
  params.u32("listBatch", lists === 1 ? 0 : (lists / B) * S).u32("listHead", lists > B ? S : 0);
  params.u32("positionsAt", B);
  return { words, listed };
}

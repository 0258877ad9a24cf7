import { toValue, type MaybeRefOrGetter, type ShallowRef } from "vue";
import { attentionStore, type AttentionSubject, type AttentionView, type ResultState } from "@qkv/stores";
import { useResult } from "./use-result.js";

/**
 * The attention of a model on a text as numbers for the elements of `@qkv/viz`, computed anew when the model or the text changes.
 *
 * @param model - A model of this thread, a ref or a getter; while it is undefined, nothing is computed.
 * @param text - Text or token ids, a ref or a getter.
 * @returns A ref of `{ status, result, error }`; `result` is `{ tokens, weights }`.
 *
 * @example
 * ```ts
 * import { effectScope, ref } from "vue";
 * import { useAttention } from "@qkv/vue";
 *
 * const text = ref("The cat sat");
 * const attention = effectScope().run(() => useAttention(undefined, text));
 * attention?.value.status; // => "idle"
 * ```
 */
export function useAttention(
  model: MaybeRefOrGetter<object | undefined>,
  text: MaybeRefOrGetter<string | readonly number[]>,
): Readonly<ShallowRef<ResultState<AttentionView>>> {
  return useResult<[AttentionSubject], AttentionView>(attentionStore(), () => {
    const own = toValue(model);
    return own === undefined ? undefined : [{ model: own, text: toValue(text) }];
  });
}

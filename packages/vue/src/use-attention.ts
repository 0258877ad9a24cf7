import { toValue, type MaybeRefOrGetter, type ShallowRef } from "vue";
import { attentionStore, type AttentionSubject, type AttentionView, type ResultState } from "@qkv/stores";
import { useResult } from "./use-result.js";

/**
 * The attention weights of a model on a text, for the elements of `@qkv/viz`. They are recomputed when the model or the text changes.
 *
 * @param model - A model on this thread, or a ref or getter of one. While it is undefined, nothing is computed.
 * @param text - Text or token ids, or a ref or getter: at least one token, and at most the context length of the model.
 * @returns A ref of `{ status, result, error }`; `result` is `{ tokens, weights }`: the text of each token, and
 *   `[L, H, T, T]`.
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
    const currentModel = toValue(model);
    return currentModel === undefined ? undefined : [{ model: currentModel, text: toValue(text) }];
  });
}

import { toValue, type MaybeRefOrGetter, type ShallowRef } from "vue";
import {
  embeddingStore,
  type EmbedOptionsOf,
  type MainThread,
  type ModelOf,
  type ResultState,
  type Runtime,
} from "@qkv/stores";
import { useResult } from "./use-result.js";

/**
 * Embeds texts, one vector of norm 1 for each. They are recomputed when the model or the texts change.
 *
 * @param model - A model, or a ref or getter of one. While it is undefined, nothing is computed.
 * @param texts - A list of texts, or a ref or getter of one.
 * @param options - Those of `embed`, and `runtime`: runtime of the model. Default: this thread.
 * @returns A ref of `{ status, result, error }`.
 *
 * @example
 * ```ts
 * import { effectScope, ref } from "vue";
 * import { useEmbedding } from "@qkv/vue";
 *
 * const texts = ref(["a cat", "a dog"]);
 * const vectors = effectScope().run(() => useEmbedding(undefined, texts));
 * vectors?.value.status; // => "idle"
 * ```
 */
export function useEmbedding<R extends Runtime = MainThread>(
  model: MaybeRefOrGetter<ModelOf<R> | undefined>,
  texts: MaybeRefOrGetter<readonly string[]>,
  { runtime, ...options }: EmbedOptionsOf<R> & { runtime?: R } = {} as EmbedOptionsOf<R>,
): Readonly<ShallowRef<ResultState<readonly ArrayLike<number>[]>>> {
  const store = embeddingStore<R>(runtime === undefined ? {} : { runtime });
  return useResult<Args<R>, readonly ArrayLike<number>[]>(store, () => {
    const currentModel = toValue(model) as ModelOf<R> | undefined;
    // A copy reads every item, so that a change within the list is seen.
    return currentModel === undefined
      ? undefined
      : [currentModel, [...toValue(texts)], options as unknown as EmbedOptionsOf<R>];
  });
}

type Args<R extends Runtime> = [model: ModelOf<R>, texts: readonly string[], options?: EmbedOptionsOf<R>];

import { checks } from "@qkv/core";
import { checkRuntime } from "./loading-store.js";
import { resultStore, type ResultStore } from "./result-store.js";
import {
  mainThread,
  type EmbedOptionsOf,
  type MainThread,
  type ModelOf,
  type Runtime,
  type UncheckedRuntime,
} from "./runtime.js";

/** A store for embeddings: one vector per text. */
export type EmbeddingStore<R extends Runtime> = ResultStore<
  [model: ModelOf<R>, texts: readonly string[], options?: EmbedOptionsOf<R>],
  readonly ArrayLike<number>[]
>;

/**
 * Creates a store for embeddings: `run(model, texts)` computes a vector of unit norm for each text. It is aborted by the next call, and when the
 * last subscriber unsubscribes.
 *
 * @param options - `runtime`: the runtime of the model. Default {@link mainThread}.
 *
 * @example
 * ```ts
 * import { embeddingStore } from "@qkv/stores";
 *
 * // A custom runtime: a vector of two elements for each text.
 * const runtime = {
 *   load: async () => ({}),
 *   embed: async (_: object, texts: readonly string[]) => texts.map((text) => [text.length, 1]),
 * };
 * const store = embeddingStore({ runtime });
 * const { result } = await store.run({}, ["a cat", "a dog runs"]);
 * result; // => [[5, 1], [10, 1]]
 * ```
 */
export function embeddingStore<R extends Runtime = MainThread>(
  options: { runtime?: R } = {},
): EmbeddingStore<R> {
  const check = checks("embeddingStore");
  const { runtime = mainThread } = check.options(options, ["runtime"]);
  checkRuntime(check, runtime, "embed");
  return resultStore((signal, model, texts, embedOptions) =>
    (runtime as unknown as UncheckedRuntime).embed(model as object, texts, { ...embedOptions, signal }),
  );
}

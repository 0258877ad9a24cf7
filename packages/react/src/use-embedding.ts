import {
  embeddingStore,
  type EmbedOptionsOf,
  type MainThread,
  type ModelOf,
  type ResultState,
  type Runtime,
} from "@qkv/stores";
import { useResult } from "./use-result.js";

/** Options of {@link useEmbedding}: those of `embed` of the runtime. */
export type UseEmbeddingOptions<R extends Runtime = MainThread> = EmbedOptionsOf<R> & {
  /** Runtime of the model. Default: this thread. */
  runtime?: R;
};

/**
 * Embeds texts, one vector of norm 1 for each. They are recomputed when a text, the model or an option changes; until then `result` is
 * the previous one.
 *
 * @param model - The model, from `useModel`. While it is undefined, nothing is computed.
 * @returns `status`, `result`, `error`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 * import { useEmbedding, useModel } from "@qkv/react";
 *
 * function Alike({ texts }: { texts: string[] }) {
 *   const { model } = useModel("./bert-base-uncased");
 *   const { result: [one, other] = [] } = useEmbedding(model, texts);
 *   const cosine = one && other && Array.from(one, (x, i) => x * other[i]).reduce((sum, x) => sum + x, 0);
 *   return createElement("p", null, cosine ?? "…");
 * }
 * renderToString(createElement(Alike, { texts: ["a cat", "a dog"] })); // => "<p>…</p>"
 * ```
 */
export function useEmbedding<R extends Runtime = MainThread>(
  model: ModelOf<R> | undefined,
  texts: readonly string[],
  { runtime, ...options }: UseEmbeddingOptions<R> = {} as UseEmbeddingOptions<R>,
): ResultState<readonly ArrayLike<number>[]> {
  const embedOptions = options as unknown as EmbedOptionsOf<R>;
  return useResult(
    () => embeddingStore<R>(runtime === undefined ? {} : { runtime }),
    runtime,
    model === undefined ? undefined : [model, texts, embedOptions],
    [model, JSON.stringify([texts, embedOptions])],
  );
}

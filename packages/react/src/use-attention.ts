import { attentionStore, type AttentionView, type ResultState } from "@qkv/stores";
import { useResult } from "./use-result.js";

/**
 * The attention weights of a model on a text, for the elements of `@qkv/viz`. They are recomputed when the model or the text changes.
 *
 * @param model - A model on this thread, from `useModel`. While it is undefined, nothing is computed.
 * @param text - Text, or token ids: at least one token, and at most the context length of the model.
 * @returns `status`, `error`, and `result`: `tokens`, the text of each token, and `weights`, `[L, H, T, T]`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 * import { useAttention, useModel } from "@qkv/react";
 *
 * function Heads({ text }: { text: string }) {
 *   const { model } = useModel("./Qwen3-0.6B");
 *   const { result } = useAttention(model, text);
 *   return result ? createElement("qkv-head-grid", { args: [result.weights] }) : "…";
 * }
 * renderToString(createElement(Heads, { text: "The cat sat" })); // => "…"
 * ```
 */
export function useAttention(
  model: object | undefined,
  text: string | readonly number[],
): ResultState<AttentionView> {
  const subject = model && { model, text };
  return useResult(attentionStore, undefined, subject && [subject], [model, JSON.stringify(text)]);
}

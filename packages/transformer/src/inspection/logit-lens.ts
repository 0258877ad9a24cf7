import { checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import type { TokenIds } from "../models/check-ids.js";
import type { Decoder, DecoderParams } from "../models/decoder.js";

/**
 * Logits of a decoder after each layer: the hidden state between layers, passed through the final norm and output
 * matrix. The first entry belongs to the embeddings, the last is the model's output.
 *
 * @param ids - Token ids `[B, T]`.
 * @returns `numLayers + 1` tensors of logits, each `[B, T, V]`.
 * @see nostalgebraist, "interpreting GPT: the logit lens" (2020), https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { logitLens } from "@qkv/transformer/inspection";
 *
 * const model = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * logitLens(model, model.init(1), [3, 1, 4]).map(({ shape }) => shape[2]); // => [11, 11, 11]
 * ```
 */
export function logitLens(
  model: Pick<Decoder, "apply" | "logits" | "config">,
  params: DecoderParams,
  ids: TokenIds,
): Tensor[] {
  const { apply, logits } = (model ?? {}) as Partial<Decoder>;
  const isDecoder = typeof apply === "function" && typeof logits === "function";
  const fix = "give `decoder(model.config)`: a model that was loaded lacks `logits`.";
  checks("logitLens").each({ model }, () => isDecoder, "a decoder, with apply and logits", fix);
  const tensors: Record<string, Tensor> = {};
  model.apply(params, ids, { trace: { names: ["embeddings", "output"], tensors } });
  const names = Array.from({ length: model.config.numLayers }, (_, i) => `layers.${i}.output`);
  return ["embeddings", ...names].map((name) => model.logits(params, tensors[name]!));
}

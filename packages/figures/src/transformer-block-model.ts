import type { Model } from "@qkv/transformer";
import type { TransformerBlockModel } from "@qkv/viz/figures/transformer-block";
import type { TransformerBlockOptions } from "./transformer-block-options.js";

export type { TransformerBlockOptions } from "./transformer-block-options.js";

/**
 * The residual stream of a loaded model on a text: the vector of each token after the embedding and after each part, what
 * every part reads and writes, and what it adds to the logits of the likeliest next tokens. All of it comes from the
 * trace of one pass; tensors that are not in the trace, such as the hidden activations of an MLP, are recomputed with the model's own
 * weights and compared with what the pass wrote. Removing a part runs the model again with an intervention.
 *
 * @param model - A decoder with its tokenizer, as `load` returns it.
 * @throws {ArgumentError} If there is no such part, or the model has a part that the figure does not draw.
 *
 * @example
 * ```ts
 * import { transformerBlockModel } from "@qkv/figures";
 * import { modelTiny } from "@qkv/model-tiny";
 * import { load } from "@qkv/transformer";
 *
 * const model = await load(await modelTiny());
 * const text = "The cat sat on the";
 * const { stream, next } = await transformerBlockModel(model, text);
 * [stream.length, next[4]?.[0]?.text]; // => [9, " hill"]
 * const without = await transformerBlockModel(model, text, { removed: "mlp-0" });
 * without.next[4]![0]!.now < 0.1; // => true
 * ```
 */
export async function transformerBlockModel(
  model: Model,
  text: string,
  options: TransformerBlockOptions = {},
): Promise<TransformerBlockModel> {
  const { blockTrace } = await import("./block-trace.js");
  return blockTrace(model, text, options);
}

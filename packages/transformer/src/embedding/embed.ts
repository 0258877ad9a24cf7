import { checks } from "@qkv/core";
import { reshape, slice, tensor, type Tensor } from "@qkv/tensor";
import { eventLoopYielder } from "../generation/yield-to-event-loop.js";
import { checkModel } from "../models/check-model.js";
import { meanPooling, unitLength } from "../models/mean-pooling.js";
import type { EncoderModel } from "../models/model.js";

/** Pooling of token embeddings: their mean, the first (`[CLS]`) or the last. */
export type Pooling = "mean" | "cls" | "last";

export type EmbedOptions = {
  /** Default: `"mean"`. A model that was trained with another says so in its `1_Pooling/config.json`. */
  pooling?: Pooling;
  signal?: AbortSignal;
};

/**
 * Embeds texts: one vector of length 1 for each, so that dot products are cosines. A text longer than the model's context is
 * cut off there.
 *
 * @param model - An encoder with its tokenizer, of `loadEncoder`.
 * @returns For each text, its embedding: `embedDim` numbers.
 * @throws {ArgumentError} If the model is a decoder or has no tokenizer, or an option is wrong. The signal's reason, when it
 *   aborts.
 * @see "Sentence-BERT" (2019), arXiv:1908.10084, section 3
 *
 * @example
 * ```ts
 * import { embed } from "@qkv/transformer";
 *
 * // const model = await loadEncoder("sentence-transformers/all-MiniLM-L6-v2");
 * // const [a, b] = await embed(model, ["a cat", "a kitten"]);
 * await embed({} as never, ["a cat"]); // => throws ArgumentError
 * ```
 */
export async function embed(
  model: EncoderModel,
  texts: readonly string[],
  given?: EmbedOptions,
): Promise<Float32Array[]> {
  const check = checks("embed");
  checkModel(check, model);
  if (!("numTypes" in model.config)) {
    check.refuse({
      argument: "model",
      received: "a decoder",
      expected: "an encoder, which embeds texts",
      fix: "load one with `loadEncoder`.",
    });
  }
  check.list({ texts }, "texts", (text) => typeof text === "string");
  const { pooling = "mean", signal } = check.options(given, ["pooling", "signal"]);
  check.oneOf({ pooling }, ["mean", "cls", "last"]);
  const { tokenizer, config, params, apply } = model;
  if (!tokenizer) {
    return check.refuse({
      argument: "model",
      received: "a model without a tokenizer",
      expected: "one that has the tokenizer of its texts",
      fix: "load the model with `tokenizer`.",
    });
  }
  const { device } = params.embedding.weight;
  const yieldToEventLoop = eventLoopYielder();
  const embeddings: Float32Array[] = [];
  for (const text of texts) {
    await yieldToEventLoop();
    signal?.throwIfAborted();
    const ids = tokenizer.encode(text).slice(0, config.contextLength);
    const embedding = device.scope(() => {
      const rows = apply(params, tensor([ids], { dtype: "int32", device })); // [1, T, C]
      return unitLength(pooled(rows, pooling)); // [1, C]
    });
    embeddings.push(Float32Array.from(await embedding.read()));
  }
  return embeddings;
}

/** Pools token embeddings `[B, T, C]` into one vector for each text, `[B, C]`. */
function pooled(rows: Tensor, pooling: Pooling): Tensor {
  if (pooling === "mean") return meanPooling(rows);
  const [B, , C] = rows.shape as [number, number, number];
  return reshape(pooling === "cls" ? slice(rows, 1, 0, 1) : slice(rows, 1, -1), [B, C]);
}

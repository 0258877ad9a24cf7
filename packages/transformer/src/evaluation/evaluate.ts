import { checks, checkSignal, type Checks } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import { logProbability } from "../generation/sampling.js";
import { checkIdList } from "../models/check-ids.js";
import { checkModel } from "../models/check-model.js";
import type { Model } from "../models/model.js";

/** Loss and perplexity of a model on a text. */
export type Evaluation = {
  /** Number of predicted tokens: all but the first of each text. */
  tokens: number;
  /** UTF-8 bytes of the texts; undefined for token ids. */
  bytes: number | undefined;
  /** Mean cross-entropy (negative log-likelihood). Unit: nats per token. */
  loss: number;
  /** e^loss: a uniform choice among this many tokens has the same loss. */
  perplexity: number;
  /** Cross-entropy in bits per byte of text: comparable across tokenizers. */
  bitsPerByte: number | undefined;
};

/** The part of a model that {@link evaluate} uses. */
export type EvaluatedModel = Pick<Model, "config" | "params" | "apply"> & {
  tokenizer?: Tokenizer | undefined;
};

/**
 * Evaluates a model on texts. A text longer than the model's context is split into separate chunks; each token is
 * predicted once.
 *
 * @param texts - Texts, which require a tokenizer, or token ids.
 * @param options - `contextLength`: tokens that a chunk predicts, default the model's context. `onProgress`: called after each chunk.
 * @throws {ArgumentError} If there is nothing to predict, or the model has no tokenizer for texts.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { evaluate } from "@qkv/transformer";
 *
 * // An untrained model: all of 4 tokens are equally likely.
 * const apply = (_: unknown, ids: unknown) => zeros([1, (ids as number[]).length, 4]);
 * const model = { config: { contextLength: 8, vocabSize: 4 }, params: {}, apply } as never;
 * const { tokens, perplexity } = await evaluate(model, [[0, 1, 2, 3]]);
 * tokens; // => 3
 * perplexity.toFixed(3); // => "4.000"
 * ```
 */
export async function evaluate(
  model: EvaluatedModel,
  texts: readonly (string | readonly number[])[],
  options?: {
    contextLength?: number;
    signal?: AbortSignal;
    onProgress?: (tokens: number) => void;
  },
): Promise<Evaluation> {
  checkModel(check, model, ["decoder"], { causal: true });
  const checked = check.options(options, ["contextLength", "signal", "onProgress"]);
  check.each({ texts }, Array.isArray, "a list of texts or of lists of token ids", "write [text] for one.");
  const { config, params, tokenizer } = model;
  const { contextLength = config.contextLength, signal, onProgress } = checked;
  checkSignal("evaluate", signal);
  check.whole({ contextLength }, { min: 1, unit: "tokens" });
  let tokens = 0;
  let nats = 0;
  let bytes: number | undefined = 0;
  for (const [i, text] of texts.entries()) {
    const ids =
      typeof text === "string"
        ? encode(tokenizer, text)
        : checkIdList(check, text, config.vocabSize, `texts[${i}]`);
    if (typeof text !== "string") bytes = undefined;
    else if (bytes !== undefined) bytes += new TextEncoder().encode(text).length;
    for (let from = 0; from + 1 < ids.length; from += contextLength) {
      signal?.throwIfAborted();
      // The chunk has one token more than the input: the target of the last position.
      const chunk = ids.slice(from, from + contextLength + 1);
      const logits = model.apply(params, chunk.slice(0, -1));
      const [, T, V] = logits.shape as [number, number, number];
      const values = await logits.read();
      for (let t = 0; t < T; t++) nats -= logProbability(values.subarray(t * V, (t + 1) * V), chunk[t + 1]!);
      tokens += T;
      onProgress?.(tokens);
    }
  }
  if (tokens === 0) {
    const expected = "a text of two tokens or more";
    check.refuse({
      argument: "texts",
      received: "nothing to predict",
      expected,
      fix: "give longer texts.",
    });
  }
  const loss = nats / tokens;
  const bitsPerByte = bytes ? nats / Math.LN2 / bytes : undefined;
  return { tokens, bytes, loss, perplexity: Math.exp(loss), bitsPerByte };
}

function encode(tokenizer: Tokenizer | undefined, text: string): number[] {
  if (tokenizer) return tokenizer.encode(text);
  const expected = "token ids, since the model has no tokenizer";
  check.refuse({
    argument: "texts",
    received: text,
    expected,
    fix: "load the model with `tokenizer`.",
  });
}

const check: Checks = /* @__PURE__ */ checks("evaluate");

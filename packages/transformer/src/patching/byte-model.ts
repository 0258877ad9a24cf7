import { checks } from "@qkv/core";
import { growingCache } from "@qkv/kv-cache";
import { byteIds, type ByteEntropy } from "@qkv/tokenizer/patching";
import type { Model } from "../models/model.js";
import { checkModel } from "../models/check-model.js";

/** A trained model over bytes: entropies for patchers, and probabilities. */
export type ByteModel = ByteEntropy & {
  /** Probabilities of the 256 bytes after a context. `[256]`, summing to 1. */
  predict(context: Uint8Array): Float64Array;
};

/**
 * Converts a decoder over bytes to an entropy model for byte-latent patchers: the decoder of `@qkv/model-tiny/bytes`, or
 * your own from `qkv train --vocab-size 256`.
 *
 * For a text longer than the context, each byte is predicted from half a context to a whole one: bytes are processed in blocks of half a
 * context, each with the previous block as context. Results depend only on the bytes, not on earlier calls. Calls in the order
 * of the text process each byte about twice.
 *
 * @param model - A decoder with a tokenizer of bytes and special tokens, or without a tokenizer and with 256 ids, the bytes. A
 *   text is preceded by the tokenizer's `bosId`, or else by a line feed.
 * @throws {ArgumentError} If its tokens are not bytes, or its context is less than 2.
 * @see "Byte Latent Transformer" (2024), arXiv:2412.09871, section 2.3
 *
 * @example
 * ```ts
 * import { globalThreshold, patchStarts } from "@qkv/tokenizer/patching";
 * import { decoder } from "@qkv/transformer";
 * import { byteModel } from "@qkv/transformer/patching";
 *
 * // const model = await load(await modelTinyBytes());
 * const { config, init, apply } = decoder({
 *   vocabSize: 256, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 16, normEps: 1e-5, stopIds: [],
 * });
 * const entropy = byteModel({ config, params: init(1), tokenizer: undefined, apply });
 * entropy(new TextEncoder().encode("th")) < Math.log(256); // => true
 * patchStarts("the cat", globalThreshold(6), entropy); // => [0]
 * ```
 */
export function byteModel(model: Model): ByteModel {
  checkModel(check, model, ["decoder"], { causal: true });
  const { config, params, apply, tokenizer } = model;
  const { contextLength, vocabSize, numLayers } = config;
  if (!tokenizer && vocabSize !== 256) {
    check.refuse({
      received: `a model of ${vocabSize} ids and no tokenizer`,
      expected: "256 ids, which are the bytes",
      fix: "load it with its tokenizer.",
    });
  }
  if (contextLength < 2) {
    check.refuse({
      received: `a model with a context of ${contextLength}`,
      expected: "a context of 2 or more",
      fix: "train one with more.",
    });
  }
  const ids = tokenizer ? byteIds(tokenizer) : Int32Array.from({ length: 256 }, (_, byte) => byte);
  const first = tokenizer?.bosId ?? ids[lineFeed]!;
  const half = Math.floor(contextLength / 2);

  // The cache contains the bytes `cached` from index `start` of the text on; at start 0, the first token precedes them.
  const cache = growingCache({ numLayers });
  let start = -1;
  let cached = new Uint8Array(0);
  let logits: ArrayLike<number> = [];
  const process = (tokens: readonly number[]) => {
    const { data } = apply(params, tokens, { cache, last: 1 });
    logits = data;
  };

  const predict = (before: Uint8Array): Float64Array => {
    const from = Math.max(0, Math.floor(before.length / half) - 1) * half;
    const window = before.subarray(from);
    const extendsCache =
      from === start && cached.length <= window.length && cached.every((byte, i) => byte === window[i]);
    // Reset until all bytes are processed, so that the cache is not considered complete after an error.
    start = -1;
    if (!extendsCache) {
      cache.reset();
      // The chunks do not depend on earlier calls, so that results are bit-identical.
      const opening = window.subarray(0, from === 0 ? 0 : half);
      process(from === 0 ? [first] : Array.from(opening, (byte) => ids[byte]!));
      cached = opening.slice();
    }
    for (const byte of window.subarray(cached.length)) process([ids[byte]!]);
    [start, cached] = [from, window.slice()];
    return softmax(ids, logits);
  };
  return Object.assign((before: Uint8Array) => entropy(predict(before)), { predict });
}

const lineFeed = 0x0a;

/** Probabilities of the bytes, without special tokens. */
function softmax(ids: Int32Array, logits: ArrayLike<number>): Float64Array {
  const byteLogits = Float64Array.from(ids, (id) => logits[id]!);
  const maximum = byteLogits.reduce((a, b) => Math.max(a, b));
  const exponentials = byteLogits.map((x) => Math.exp(x - maximum));
  const total = exponentials.reduce((a, b) => a + b);
  return exponentials.map((x) => x / total);
}

function entropy(p: Float64Array): number {
  return Math.max(
    0,
    p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0),
  );
}

const check = /* @__PURE__ */ checks("byteModel", { argument: "model" });

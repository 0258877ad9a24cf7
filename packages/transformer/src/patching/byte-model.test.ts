import { byteEntropies, globalThreshold, patchStarts, patchStream } from "@qkv/tokenizer/patching";
import { byteLevelBpe, tokenizerFromJson } from "@qkv/tokenizer";
import { trainBpe, trainedBpeToJson } from "@qkv/tokenizer/training";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { decoder } from "../models/decoder.js";
import { byteModel } from "./byte-model.js";

const contextLength = 8;
const sizes = { embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1, normEps: 1e-5 };
function randomModel(
  vocabSize: number,
  tokenizer?: Awaited<ReturnType<typeof byteTokenizer>>,
  context = contextLength,
) {
  const { config, init, apply } = decoder({ ...sizes, vocabSize, contextLength: context, stopIds: [] });
  const params = init(3);
  // Larger embeddings, because with the initial ones all bytes are nearly equally likely.
  params.embedding.weight.data.forEach((x, i, data) => (data[i] = 40 * x));
  return { config, params, tokenizer, apply };
}
const byteTokenizer = async (...specialTokens: string[]) =>
  tokenizerFromJson(
    trainedBpeToJson(await trainBpe(["a"], { vocabSize: 256 + specialTokens.length, specialTokens })),
  );
const bytes = fc.uint8Array({ maxLength: 3 * contextLength });

test("property: probabilities sum to 1, the entropy is computed from them, and earlier calls do not change them", () => {
  const reused = byteModel(randomModel(256));
  fc.assert(
    fc.property(bytes, (before) => {
      const p = reused.predict(before);
      expect(p.length).toBe(256);
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(reused(before)).toBeCloseTo(-p.reduce((sum, x) => sum + x * Math.log(x), 0), 12);
      expect(byteModel(randomModel(256)).predict(before)).toEqual(p);
    }),
  );
});

test("property: probabilities equal those of the model after the last half to whole context", () => {
  const model = randomModel(256);
  const entropy = byteModel(model);
  const half = contextLength / 2;
  fc.assert(
    fc.property(bytes, (before) => {
      const from = before.length < contextLength ? 0 : (Math.floor(before.length / half) - 1) * half;
      const window = [...(from === 0 ? [0x0a] : []), ...before.subarray(from)];
      expect(window.length).toBeLessThanOrEqual(contextLength);
      const logits = Array.from(model.apply(model.params, window, { last: 1 }).data);
      const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
      const expected = logits.map((x) => Math.exp(x) / total);
      expect(entropy.predict(before).slice(0, logits.length)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: a stream is split into the same patches as the complete text", () => {
  fc.assert(
    fc.property(bytes, (text) => {
      const entropy = byteModel(randomModel(256));
      const values = [...byteEntropies(text, entropy)].sort((a, b) => a - b);
      const patcher = globalThreshold(values[values.length >> 1] ?? 0);
      const stream = patchStream(patcher, byteModel(randomModel(256)));
      const patches = [...stream.push(text), ...stream.end()];
      let at = 0;
      const starts = patches.map((patch) => (at += patch.length) - patch.length);
      expect(starts).toEqual(patchStarts(text, patcher, entropy));
    }),
  );
});

test("bytes have the probabilities of their tokens, normalized without special tokens", async () => {
  const tokenizer = await byteTokenizer("<|end|>", "<|pad|>");
  const model = randomModel(258, tokenizer);
  const p = byteModel(model).predict(new TextEncoder().encode("to"));
  const ids = tokenizer.encode("\nto");
  const logits = model.apply(model.params, ids, { last: 1 }).data;
  const weight = (text: string) => Math.exp(logits[tokenizer.encode(text)[0]!]!);
  expect(p[0x61]! / p[0x62]!).toBeCloseTo(weight("a") / weight("b"), 4);
  expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
});

test("models whose tokens are not bytes, and a model with a context of 1, are refused", () => {
  const merged = byteLevelBpe({ vocab: ["a", "b", "ab"], merges: ["a b"] });
  expect(() => byteModel(randomModel(3, merged))).toThrow("byteIds: `tokenizer` is");
  expect(() => byteModel(randomModel(300))).toThrow(
    'byteModel: `model` is "a model of 300 ids and no tokenizer", expected 256 ids, which are the bytes.\nFix: load it with its tokenizer.',
  );
  expect(() => byteModel(randomModel(256, undefined, 1))).toThrow("a model with a context of 1");
});

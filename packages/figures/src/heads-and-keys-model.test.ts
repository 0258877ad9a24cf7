import { growingCache, latentCache } from "@qkv/kv-cache";
import { randn, slice } from "@qkv/tensor";
import { headsAndKeys } from "@qkv/viz/figures/heads-and-keys";
import { expect, test } from "vitest";
import { headsAndKeysModel } from "./heads-and-keys-model.js";
import { measureHeads } from "./measure-heads.js";

test("the bytes are those that a cache of @qkv/kv-cache holds", () => {
  const { kinds, headDim, numLayers, lengths, bytesPerNumber } = headsAndKeysModel({
    model: "transformer-base",
  });
  for (const { numKvHeads, bytes, bytesPerToken, parts } of kinds.slice(0, 3)) {
    expect(parts.map(({ size }) => size)).toEqual([headDim, headDim]);
    const cache = growingCache({ numLayers });
    const one = randn([1, numKvHeads, 1, headDim], { seed: 1 });
    for (const [i, length] of lengths.slice(0, 16).entries()) {
      for (let layer = 0; layer < numLayers; layer++) cache.update(layer, one, one);
      const { key } = cache.read(0);
      expect(key.flatMap((part) => ("shape" in part ? [part.shape[2]] : []))).toEqual([length]);
      const numbers = 2 * numLayers * numKvHeads * headDim * cache.length;
      expect(bytes[i]).toBe(numbers * bytesPerNumber);
    }
    expect(bytes.at(-1)).toBe(bytesPerToken * 131_072);
  }
});

test("the bytes of MLA are those that a cache of latents holds: r + d_r numbers a token, once for all heads", () => {
  const { kinds, numLayers, lengths, bytesPerNumber } = headsAndKeysModel({ model: "transformer-base" });
  const { parts, bytes, numKvHeads } = kinds[3]!;
  const [latentDim, ropeDim] = parts.map(({ size }) => size) as [number, number];
  const cache = latentCache({ latentDim, numLayers });
  const key = randn([1, numKvHeads, 1, latentDim + ropeDim], { seed: 1 });
  for (const [i, length] of lengths.slice(0, 16).entries()) {
    for (let layer = 0; layer < numLayers; layer++) cache.update(layer, key, slice(key, 3, 0, latentDim));
    expect(cache.length).toBe(length);
    expect(bytes[i]).toBe((latentDim + ropeDim) * numLayers * length * bytesPerNumber);
    // The cache holds float32, and may have room for more tokens.
    expect(cache.bytes).toBeGreaterThanOrEqual(bytes[i]! * (4 / bytesPerNumber));
    expect(cache.bytes).toBeLessThanOrEqual(2 * bytes[i]! * (4 / bytesPerNumber));
  }
});

test("DeepSeek-V3 as published: latents of 512 and rotary keys of 64, 70,272 bytes a token", () => {
  const { kinds, numHeads, numLayers } = headsAndKeysModel({ model: "deepseek-v3" });
  expect([numHeads, numLayers]).toEqual([128, 61]);
  expect(kinds[3]).toMatchObject({
    name: "MLA",
    bytesPerToken: 70_272,
    parts: [
      { name: "latent", size: 512 },
      { name: "rotary key", size: 64 },
    ],
  });
  expect(kinds[0]!.bytesPerToken / kinds[3]!.bytesPerToken).toBeCloseTo(56.9, 1);
});

test("Llama 3.1 8B as published: 128 KiB a token, 16 GiB at 131,072 tokens", () => {
  const { kinds, numHeads, time } = headsAndKeysModel();
  expect(numHeads).toBe(32);
  expect(kinds.map(({ bytesPerToken }) => bytesPerToken / 1024)).toEqual([512, 128, 16, 36]);
  expect(kinds[1]!.bytes.at(-1)! / 2 ** 30).toBe(16);
  expect(time).toMatchObject({ kind: "estimate", bytesPerSecond: 3350e9 });
});

test("chosen head counts are used, with at most as many KV heads as query heads", () => {
  const heads = (choices: object) => headsAndKeysModel(choices).kinds.map(({ numKvHeads }) => numKvHeads);
  expect(heads({ numHeads: 8, numKvHeads: 2 })).toEqual([8, 2, 1, 1]);
  expect(heads({ numHeads: 4, numKvHeads: 32 })).toEqual([4, 4, 1, 1]);
  expect(heads({ model: "llama-2-7b" })).toEqual([32, 8, 1, 1]);
});

test("every offer of a control is one that the model takes", () => {
  for (const control of headsAndKeys.controls(headsAndKeysModel(), headsAndKeys.initial)) {
    if (!("options" in control)) continue;
    for (const { value } of control.options) {
      expect(headsAndKeysModel({ [control.key]: value }).kinds).toHaveLength(4);
    }
  }
  expect(() => headsAndKeysModel({ model: "gpt-9" })).toThrow(/headsAndKeysModel: `model` is "gpt-9"/);
});

test("measures each kind on the wasm device, and stops when aborted", async () => {
  const counted = headsAndKeysModel({ model: "llama-3.1-70b" });
  const found = await measureHeads(counted);
  expect(found).toMatchObject({ kind: "measured", tokens: 512, timeMs: { length: 4 } });
  if (found.kind === "measured") for (const ms of found.timeMs) expect(ms).toBeGreaterThan(0);
  await expect(measureHeads(counted, { signal: AbortSignal.abort() })).rejects.toThrow();
});

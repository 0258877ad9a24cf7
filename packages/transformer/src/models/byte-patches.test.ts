import { growingCache } from "@qkv/kv-cache";
import { mapTensors, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import { bltPatchLengths } from "@qkv/tokenizer/patching";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { pendingDevice } from "@qkv/test-support/pending-device";
import { runs } from "../../../../scripts/tier.mjs";
import { cacheFor } from "../generation/cache-for.js";
import { generate, type GenerateOptions } from "../generation/generate.js";
import { generateBatch } from "../generation/generate-batch.js";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { quantize } from "../quantization/quantize.js";
import { bytePatchLengths } from "./byte-patch-lengths.js";
import { bytePatches } from "./byte-patches.js";
import { decoder } from "./decoder.js";
import type { BytePatchesConfig, DecoderConfig } from "./decoder-config.js";

const layers = { embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, numKvHeads: 1, normEps: 1e-5 };
const bytes = { vocabSize: 20, contextLength: 64, stopIds: [] };
const patching: BytePatchesConfig = {
  patcher: { ...layers, ...bytes, numLayers: 1 },
  threshold: 0,
  hashes: { orders: [2, 3], functions: 2, buckets: 7 },
  encoder: { ...layers, numLayers: 1 },
  global: { ...layers, embedDim: 16, numHeads: 4 },
  rowsPerPatch: 2,
};

/** A model whose entropy model is uncertain about some bytes. */
function model(change: Partial<BytePatchesConfig> = {}) {
  const config: DecoderConfig = {
    ...layers,
    ...bytes,
    bytePatches: bytePatches({ ...patching, threshold: 1.5, ...change }),
  };
  const { apply, init } = decoder(config);
  const params = init(1);
  const patchParams = params.bytePatches!;
  // Initial weights are so small that all bytes are about equally likely; larger ones give entropies around the threshold.
  const output = { weight: randn(patchParams.patcher.embedding.weight.shape, { seed: 9 }) };
  const embedding = { weight: randn([20, 8], { seed: 3 }) };
  const hashes = { weight: randn(patchParams.hashes.weight.shape, { seed: 4 }) };
  const patcher = { ...patchParams.patcher, embedding: { weight: randn([20, 8], { seed: 5 }) }, output };
  return {
    config,
    apply,
    tokenizer: undefined,
    params: { ...params, embedding, bytePatches: { ...patchParams, hashes, patcher } },
  };
}

const blt = model();
const ids = fc.array(fc.nat(19), { minLength: 1, maxLength: 24 });
/** Logits of a whole text, without a cache. */
const textLogits = (text: readonly number[], { apply, params } = blt) => apply(params, text);
const text = [1, 7, 3, 3, 15, 9, 0, 2, 11, 18, 4, 4, 6, 19, 13, 5, 8, 12];

/** Patch lengths by the definition: entropies of the softmax of the entropy model, compared with the threshold. */
function expectedPatchLengths(text: readonly number[]): number[] {
  const { patcher, threshold } = blt.config.bytePatches!.config;
  const logits = decoder(patcher).apply(blt.params.bytePatches.patcher, text);
  const entropies = text.map((_, t) => {
    const row = Array.from(slice(logits, 1, t, t + 1).data as Float32Array, Math.exp);
    const total = row.reduce((a, b) => a + b);
    return row.reduce((sum, x) => sum - (x / total) * Math.log(x / total), 0);
  });
  return bltPatchLengths(entropies, threshold);
}

test("the text of these tests has patches of at least three different lengths", () => {
  expect(new Set(expectedPatchLengths(text)).size).toBeGreaterThan(2);
});

test("property: logits of chunks with a cache equal those of the whole text", () => {
  fc.assert(
    fc.property(
      ids,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 24, maxLength: 24 }),
      (text, sizes) => {
        const cache = cacheFor(blt.config);
        const logits = textLogits(text);
        for (let start = 0, i = 0; start < text.length; i++) {
          const chunk = text.slice(start, start + sizes[i]!);
          const chunkLogits = blt.apply(blt.params, chunk, { cache });
          expect(chunkLogits.data).toBeAllclose(slice(logits, 1, start, start + chunk.length).data, {
            atol: 1e-5,
          });
          start += chunk.length;
        }
        expect(cache.length).toBe(text.length);
      },
    ),
    { numRuns: runs(30) },
  );
});

test("property: causal: later bytes do not affect the logits of a byte", () => {
  fc.assert(
    fc.property(ids, ids, (first, second) => {
      const both = textLogits([...first, ...second]);
      expect(slice(both, 1, 0, first.length).data).toBeAllclose(textLogits(first).data, { atol: 1e-5 });
    }),
    { numRuns: runs(30) },
  );
});

test("property: logits after cropping a cache equal those without the cropped bytes", () => {
  fc.assert(
    fc.property(ids, ids, fc.nat(24), (first, second, at) => {
      const length = Math.min(at, first.length);
      const cache = cacheFor(blt.config);
      blt.apply(blt.params, first, { cache });
      cache.crop(length);
      const logits = blt.apply(blt.params, second, { cache });
      const expected = slice(textLogits([...first.slice(0, length), ...second]), 1, length);
      expect(logits.data).toBeAllclose(expected.data, { atol: 1e-5 });
    }),
    { numRuns: runs(30) },
  );
});

test("a padded batch and its next bytes give the logits of each text alone", () => {
  const texts = [text.slice(0, 5), text.slice(3, 16), text.slice(2, 3)];
  const T = Math.max(...texts.map(({ length }) => length));
  const padded = tensor(
    texts.map((text) => Array.from({ length: T }, (_, t) => text[t] ?? 0)),
    { dtype: "int32" },
  );
  const lengths = texts.map(({ length }) => length);
  const cache = cacheFor(blt.config);
  const logits = blt.apply(blt.params, padded, { cache, padding: lengths });
  cache.crop(lengths);
  expect([...cache.lengths]).toEqual(lengths);
  const next = [
    [4, 9, 17],
    [7, 7, 2],
    [0, 1, 16],
  ];
  const nextLogits = blt.apply(blt.params, tensor(next, { dtype: "int32" }), { cache });
  texts.forEach((text, b) => {
    const alone = textLogits([...text, ...next[b]!]);
    const rows = slice(slice(logits, 0, b, b + 1), 1, 0, text.length);
    expect(rows.data).toBeAllclose(slice(alone, 1, 0, text.length).data, { atol: 1e-5 });
    expect(slice(nextLogits, 0, b, b + 1).data).toBeAllclose(slice(alone, 1, text.length).data, {
      atol: 1e-5,
    });
  });
});

test("fork, reorder and repeat of a cache include its patches", () => {
  const pair = [text.slice(0, 9), text.slice(9)];
  const cache = cacheFor(blt.config);
  blt.apply(blt.params, tensor(pair, { dtype: "int32" }), { cache });
  const fork = cache.fork();
  cache.reorder([1, 0]);
  cache.repeat(2);
  const step = (ids: number[][], cache: ReturnType<typeof cacheFor>): Tensor =>
    blt.apply(blt.params, tensor(ids, { dtype: "int32" }), { cache });
  const copyLogits = step([[2], [3], [4], [5]], cache);
  [1, 1, 0, 0].forEach((from, b) => {
    const alone = slice(textLogits([...pair[from]!, b + 2]), 1, 9);
    expect(slice(copyLogits, 0, b, b + 1).data).toBeAllclose(alone.data, { atol: 1e-5 });
  });
  const forkLogits = step([[6], [7]], fork);
  [0, 1].forEach((b) => {
    const alone = slice(textLogits([...pair[b]!, 6 + b]), 1, 9);
    expect(slice(forkLogits, 0, b, b + 1).data).toBeAllclose(alone.data, { atol: 1e-5 });
  });
});

test("a restored cache gives the same logits; a truncated or damaged file is refused without a change", () => {
  const cache = cacheFor(blt.config);
  blt.apply(blt.params, text.slice(0, 7), { cache });
  const file = cache.save();
  const restored = cacheFor(blt.config);
  restored.restore(file);
  const bytesBefore = restored.bytes;
  expect(() => restored.restore(file.subarray(0, -1))).toThrow(
    /restore: `bytes` is "\d+ bytes", expected a saved cache of a model of byte patches, whole/,
  );
  const damaged = file.slice();
  damaged[damaged.length - 3]! ^= 1; // in the part of the patches
  expect(() => restored.restore(damaged)).toThrow();
  expect(restored.bytes).toBe(bytesBefore);
  const [a, b] = [cache, restored].map((cache) => blt.apply(blt.params, text.slice(7), { cache }).data);
  expect(b).toEqual(a);
});

test("a call that throws does not change the cache", () => {
  const cache = cacheFor(blt.config);
  blt.apply(blt.params, text.slice(0, 7), { cache });
  const interventions = {
    "layers.1.output": () => {
      throw new Error("stop");
    },
  };
  const trace = { names: [], tensors: {}, interventions };
  expect(() => blt.apply(blt.params, text.slice(7), { cache, trace })).toThrow("stop");
  expect(cache.length).toBe(7);
  const logits = blt.apply(blt.params, text.slice(7), { cache });
  expect(logits.data).toBeAllclose(slice(textLogits(text), 1, 7).data, { atol: 1e-5 });
  cache.reset();
  expect(blt.apply(blt.params, text, { cache }).data).toBeAllclose(textLogits(text).data, { atol: 1e-5 });
});

test("generation with a cache, with drafts and in batches equals argmax over the whole text", async () => {
  const expected = text.slice(0, 6);
  for (let i = 0; i < 12; i++) {
    const row = slice(textLogits(expected), 1, expected.length - 1).data as Float32Array;
    expected.push(row.indexOf(Math.max(...row)));
  }
  const run = async (options: GenerateOptions) => {
    const generated = text.slice(0, 6);
    for await (const { id } of generate(blt, generated.slice(), { maxTokens: 12, ...options }))
      generated.push(id);
    return generated;
  };
  expect(await run({})).toEqual(expected);
  expect(await run({ speculate: { ngramSize: 1, draftLength: 4 } })).toEqual(expected);
  const batch = [expected.slice(0, 6), expected.slice(0, 9)];
  for await (const { prompt, id } of generateBatch(
    blt,
    batch.map((ids) => ids.slice()),
    { maxTokens: 9 },
  ))
    batch[prompt]!.push(id);
  expect(batch[0]).toEqual(expected.slice(0, 15));
  expect(batch[1]).toEqual(expected);
});

test("`patchLengths` replaces the patches of the entropy model", () => {
  const modelLengths = expectedPatchLengths(text);
  const logits = (patchLengths: number[] | number[][]) => blt.apply(blt.params, text, { patchLengths }).data;
  expect(logits(modelLengths)).toBeAllclose(textLogits(text).data, { atol: 1e-6 });
  expect(logits([modelLengths])).toBeAllclose(textLogits(text).data, { atol: 1e-6 });
  const otherLogits = logits([1, 4, 13, 1]);
  expect(() => expect(otherLogits).toBeAllclose(textLogits(text).data, { atol: 1e-3 })).toThrow();
  for (const wrong of [[2, 16], [1], [1, 0, 17], [1, 3], [1, 2.5, 20]]) {
    expect(() => logits(wrong)).toThrow(/decoder.apply: `patchLengths` .*\nFix: begin with 1/);
  }
  const cache = cacheFor(blt.config);
  expect(() => blt.apply(blt.params, text, { cache, patchLengths: modelLengths })).toThrow(
    /`patchLengths` is "lengths beside a cache"/,
  );
  const plain = decoder({ ...layers, ...bytes });
  expect(() => plain.apply(plain.init(1), text, { patchLengths: modelLengths })).toThrow(
    /reads no byte patches/,
  );
});

test("patches of another width than the global layers are projected to it", () => {
  const narrow = model({ global: { ...layers, embedDim: 12 } });
  const { projection } = narrow.params.bytePatches.global;
  expect(projection?.weight.shape).toEqual([12, 16]);
  const cache = cacheFor(narrow.config);
  narrow.apply(narrow.params, text.slice(0, 8), { cache });
  const rest = narrow.apply(narrow.params, text.slice(8), { cache });
  expect(rest.data).toBeAllclose(slice(textLogits(text, narrow), 1, 8).data, { atol: 1e-5 });
});

test("quantize rounds the matrices of all parts, but no embeddings", () => {
  const { report } = quantize(blt);
  const paths = Object.keys(report.errors);
  for (const path of [
    "bytePatches.patcher.layers.0.attention.query.weight",
    "bytePatches.patcher.output.weight",
    "bytePatches.encoder.projection.weight",
    "bytePatches.encoder.crossAttention.attention.key.weight",
    "bytePatches.global.layers.1.feedForward.down.weight",
    "bytePatches.decoder.projection.weight",
    "bytePatches.decoder.crossAttention.1.attention.output.weight",
  ]) {
    expect(paths).toContain(path);
  }
  expect(paths.filter((path) => /embedding|hashes/.test(path))).toEqual([]);
});

test("export to GGUF and ONNX refuses a model with byte patches", async () => {
  for (const to of ["gguf", "onnx"] as const) {
    await expect(exportModel(blt, { to, out: memoryFolder() })).rejects.toThrow(
      /exportModel: `config\.bytePatches`/,
    );
  }
});

test("caches of tokens, documents, positions and invalid configurations are refused", () => {
  const call = (options: object) => () => blt.apply(blt.params, text, options);
  expect(call({ cache: growingCache({ numLayers: 2 }) })).toThrow(
    'decoder.apply: `cache` is "a cache of tokens", expected one of bytes and patches.\nFix: make it with `cacheFor(model.config)`.',
  );
  expect(call({ documents: text.map(() => 1) })).toThrow(/`documents` .* expected nothing, as patches/);
  expect(call({ positions: { start: 3 } })).toThrow(/`positions` .* expected nothing, as patches/);
  expect(() => model({ rowsPerPatch: 0 })).toThrow(/bytePatches: `rowsPerPatch` is 0/);
  expect(() => model({ threshold: NaN })).toThrow(/bytePatches: `threshold` is NaN/);
  expect(() => model({ hashes: { ...patching.hashes, orders: [0] } })).toThrow(/`hashes.orders`/);
  expect(() => model({ encoder: { ...layers, embedDim: 4 } })).toThrow(
    /bytePatches: `encoder.embedDim` is 4, expected 8, the embedDim of the decoder/,
  );
  expect(() => model({ patcher: { ...patching.patcher, vocabSize: 21 } })).toThrow(
    /`patcher.vocabSize` is 21/,
  );
});

test("property: bytePatchLengths gives the patches of the entropy model, on a device with asynchronous reads too", async () => {
  const device = pendingDevice();
  const params = mapTensors(blt.params, (x) => x.to(device));
  await fc.assert(
    fc.asyncProperty(ids, async (text) => {
      const patchLengths = await bytePatchLengths({ ...blt, params }, text);
      // After the start token alone, the open patch has 0 bytes; `apply` expects it too.
      expect(patchLengths).toEqual([text.length === 1 ? [1, 0] : expectedPatchLengths(text)]);
      const logits = blt.apply(params, text, { patchLengths });
      expect(await logits.read()).toBeAllclose(textLogits(text).data, { atol: 1e-5 });
    }),
    { numRuns: runs(20) },
  );
  const { bytePatches: _, ...config } = blt.config;
  await expect(bytePatchLengths({ ...blt, config, params }, text)).rejects.toThrow(
    /^bytePatchLengths: `model` is "a model of tokens"/,
  );
});

import { growingCache } from "@qkv/kv-cache";
import { mapTensors, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import { bltPatchLengths } from "@qkv/tokenizer/patching";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { pendingDevice } from "@qkv/test-support/pending-device";
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
  const own = params.bytePatches!;
  // Random weights are so small that every byte is as likely as any other.
  const output = { weight: randn(own.patcher.embedding.weight.shape, { seed: 9 }) };
  const embedding = { weight: randn([20, 8], { seed: 3 }) };
  const hashes = { weight: randn(own.hashes.weight.shape, { seed: 4 }) };
  const patcher = { ...own.patcher, embedding: { weight: randn([20, 8], { seed: 5 }) }, output };
  return {
    config,
    apply,
    tokenizer: undefined,
    params: { ...params, embedding, bytePatches: { ...own, hashes, patcher } },
  };
}

const blt = model();
const ids = fc.array(fc.nat(19), { minLength: 1, maxLength: 24 });
const whole = (text: readonly number[], own = blt) => own.apply(own.params, text);
const text = [1, 7, 3, 3, 15, 9, 0, 2, 11, 18, 4, 4, 6, 19, 13, 5, 8, 12];

/** Lengths of the patches that the model finds. */
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

test("the text has patches of several lengths, so that these tests see what they are about", () => {
  expect(new Set(expectedPatchLengths(text)).size).toBeGreaterThan(2);
});

test("property: a cache filled in chunks of any length gives what the whole text gives", () => {
  fc.assert(
    fc.property(
      ids,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 24, maxLength: 24 }),
      (text, sizes) => {
        const cache = cacheFor(blt.config);
        const logits = whole(text);
        for (let at = 0, i = 0; at < text.length; i++) {
          const chunk = text.slice(at, at + sizes[i]!);
          const own = blt.apply(blt.params, chunk, { cache });
          expect(own.data).toBeAllclose(slice(logits, 1, at, at + chunk.length).data, { atol: 1e-5 });
          at += chunk.length;
        }
        expect(cache.length).toBe(text.length);
      },
    ),
    { numRuns: 30 },
  );
});

test("property: no byte sees a later one", () => {
  fc.assert(
    fc.property(ids, ids, (first, second) => {
      const both = whole([...first, ...second]);
      expect(slice(both, 1, 0, first.length).data).toBeAllclose(whole(first).data, { atol: 1e-5 });
    }),
    { numRuns: 30 },
  );
});

test("property: a cache cropped anywhere goes on as if the rest had not been", () => {
  fc.assert(
    fc.property(ids, ids, fc.nat(24), (first, second, at) => {
      const kept = Math.min(at, first.length);
      const cache = cacheFor(blt.config);
      blt.apply(blt.params, first, { cache });
      cache.crop(kept);
      const own = blt.apply(blt.params, second, { cache });
      const expected = slice(whole([...first.slice(0, kept), ...second]), 1, kept);
      expect(own.data).toBeAllclose(expected.data, { atol: 1e-5 });
    }),
    { numRuns: 30 },
  );
});

test("texts of different lengths in one batch give what each gives alone, and go on so", () => {
  const texts = [text.slice(0, 5), text.slice(3, 16), text.slice(2, 3)];
  const T = Math.max(...texts.map(({ length }) => length));
  const padded = tensor(
    texts.map((one) => Array.from({ length: T }, (_, t) => one[t] ?? 0)),
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
  const more = blt.apply(blt.params, tensor(next, { dtype: "int32" }), { cache });
  texts.forEach((one, b) => {
    const alone = whole([...one, ...next[b]!]);
    const rows = slice(slice(logits, 0, b, b + 1), 1, 0, one.length);
    expect(rows.data).toBeAllclose(slice(alone, 1, 0, one.length).data, { atol: 1e-5 });
    expect(slice(more, 0, b, b + 1).data).toBeAllclose(slice(alone, 1, one.length).data, { atol: 1e-5 });
  });
});

test("forks, other orders and copies of batches hold their own patches", () => {
  const pair = [text.slice(0, 9), text.slice(9)];
  const cache = cacheFor(blt.config);
  blt.apply(blt.params, tensor(pair, { dtype: "int32" }), { cache });
  const fork = cache.fork();
  cache.reorder([1, 0]);
  cache.repeat(2);
  const step = (ids: number[][], cache: ReturnType<typeof cacheFor>): Tensor =>
    blt.apply(blt.params, tensor(ids, { dtype: "int32" }), { cache });
  const copies = step([[2], [3], [4], [5]], cache);
  [1, 1, 0, 0].forEach((from, b) => {
    const alone = slice(whole([...pair[from]!, b + 2]), 1, 9);
    expect(slice(copies, 0, b, b + 1).data).toBeAllclose(alone.data, { atol: 1e-5 });
  });
  const own = step([[6], [7]], fork);
  [0, 1].forEach((b) => {
    const alone = slice(whole([...pair[b]!, 6 + b]), 1, 9);
    expect(slice(own, 0, b, b + 1).data).toBeAllclose(alone.data, { atol: 1e-5 });
  });
});

test("a saved cache goes on where it was; one that is cut short is refused and changes nothing", () => {
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

test("a call that throws leaves the cache as it was", () => {
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
  const own = blt.apply(blt.params, text.slice(7), { cache });
  expect(own.data).toBeAllclose(slice(whole(text), 1, 7).data, { atol: 1e-5 });
  cache.reset();
  expect(blt.apply(blt.params, text, { cache }).data).toBeAllclose(whole(text).data, { atol: 1e-5 });
});

test("generation gives what the whole text gives each time, with drafts and in batches too", async () => {
  const expected = text.slice(0, 6);
  for (let i = 0; i < 12; i++) {
    const row = slice(whole(expected), 1, expected.length - 1).data as Float32Array;
    expected.push(row.indexOf(Math.max(...row)));
  }
  const run = async (options: GenerateOptions) => {
    const found = text.slice(0, 6);
    for await (const { id } of generate(blt, found.slice(), { maxTokens: 12, ...options })) found.push(id);
    return found;
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

test("lengths of patches that are given take the place of the model's own", () => {
  const own = expectedPatchLengths(text);
  const given = (patchLengths: number[] | number[][]) => blt.apply(blt.params, text, { patchLengths }).data;
  expect(given(own)).toBeAllclose(whole(text).data, { atol: 1e-6 });
  expect(given([own])).toBeAllclose(whole(text).data, { atol: 1e-6 });
  const other = given([1, 4, 13, 1]);
  expect(() => expect(other).toBeAllclose(whole(text).data, { atol: 1e-3 })).toThrow();
  for (const wrong of [[2, 16], [1], [1, 0, 17], [1, 3], [1, 2.5, 20]]) {
    expect(() => given(wrong)).toThrow(/decoder.apply: `patchLengths` .*\nFix: begin with 1/);
  }
  const cache = cacheFor(blt.config);
  expect(() => blt.apply(blt.params, text, { cache, patchLengths: own })).toThrow(
    /`patchLengths` is "lengths beside a cache"/,
  );
  const plain = decoder({ ...layers, ...bytes });
  expect(() => plain.apply(plain.init(1), text, { patchLengths: own })).toThrow(/reads no byte patches/);
});

test("patches that are wider than the global layers go through a map", () => {
  const narrow = model({ global: { ...layers, embedDim: 12 } });
  const { projection } = narrow.params.bytePatches.global;
  expect(projection?.weight.shape).toEqual([12, 16]);
  const cache = cacheFor(narrow.config);
  narrow.apply(narrow.params, text.slice(0, 8), { cache });
  const rest = narrow.apply(narrow.params, text.slice(8), { cache });
  expect(rest.data).toBeAllclose(slice(whole(text, narrow), 1, 8).data, { atol: 1e-5 });
});

test("all matrices that are multiplied are rounded, and no table of embeddings", () => {
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

test("formats without byte patches refuse the model", async () => {
  for (const to of ["gguf", "onnx"] as const) {
    await expect(exportModel(blt, { to, out: memoryFolder() })).rejects.toThrow(
      /exportModel: `config\.bytePatches`/,
    );
  }
});

test("what has no meaning for patches is refused", () => {
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

test("property: the lengths that are awaited are those of the patches, and a device that is awaited takes them", async () => {
  const device = pendingDevice();
  const params = mapTensors(blt.params, (x) => x.to(device));
  await fc.assert(
    fc.asyncProperty(ids, async (text) => {
      const patchLengths = await bytePatchLengths({ ...blt, params }, text);
      // After the start token alone a patch is open, which `apply` wants to know of.
      expect(patchLengths).toEqual([text.length === 1 ? [1, 0] : expectedPatchLengths(text)]);
      const logits = blt.apply(params, text, { patchLengths });
      expect(await logits.read()).toBeAllclose(whole(text).data, { atol: 1e-5 });
    }),
    { numRuns: 20 },
  );
  const { bytePatches: _, ...config } = blt.config;
  await expect(bytePatchLengths({ ...blt, config, params }, text)).rejects.toThrow(
    /^bytePatchLengths: `model` is "a model of tokens"/,
  );
});

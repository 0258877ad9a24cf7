import { catalogue } from "@qkv/attention/catalogue";
import { cost, costKinds, formats, kvCache, readConfig, type ModelShape } from "@qkv/cost";
import { growingCache } from "@qkv/kv-cache";
import { count } from "@qkv/tensor";
import { decoder, type DecoderConfig } from "@qkv/transformer";
import fc from "fast-check";
import { expect, test } from "vitest";

// What the cost model says beside what the packages do when they run.

test("every kind of cost of the catalogue has a partner, and every partner is in the catalogue", () => {
  const named = new Set(catalogue.map(({ costKind }) => costKind as string));
  expect(Object.keys(costKinds).sort()).toEqual([...named].sort());
});

const config = fc
  .record({
    numKvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 3 }),
    headDim: fc.constantFrom(2, 4, 6),
    hiddenDim: fc.integer({ min: 1, max: 12 }),
    numLayers: fc.integer({ min: 1, max: 3 }),
    vocabSize: fc.integer({ min: 2, max: 20 }),
  })
  .map(({ numKvHeads, group, headDim, ...sizes }): DecoderConfig => ({
    ...sizes,
    numKvHeads,
    numHeads: numKvHeads * group,
    embedDim: numKvHeads * group * headDim,
    contextLength: 300,
    normEps: 1e-5,
    ropeBase: 10000,
    ropeLayout: "half",
    stopIds: [],
  }));

/** The same model, as its config.json would describe it. */
const shapeOf = (config: DecoderConfig): ModelShape =>
  readConfig({
    model_type: "llama",
    hidden_size: config.embedDim,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    intermediate_size: config.hiddenDim,
    num_hidden_layers: config.numLayers,
    vocab_size: config.vocabSize,
    tie_word_embeddings: true,
  });

const ids = (length: number) => new Array<number>(length).fill(1);
// The plain kernel computes whole tiles of 64 queries and keys.
const tileSize = 64;

test("property: FLOPs of a prompt are those that `count` reports for a real forward pass", () => {
  fc.assert(
    fc.property(config, fc.integer({ min: 1, max: 200 }), (config, queryLength) => {
      const model = decoder(config);
      const params = model.init(1);
      const { flops } = count(() => model.apply(params, ids(queryLength)));
      expect(cost(shapeOf(config), { queryLength, tileSize }).flops).toBe(flops);
    }),
    { numRuns: 30 },
  );
});

test("property: so are those of a step with a cache, with its calls; and the cache holds what it should", () => {
  fc.assert(
    fc.property(config, fc.integer({ min: 1, max: 150 }), (config, before) => {
      const model = decoder(config);
      const params = model.init(1);
      const cache = growingCache({ numLayers: config.numLayers });
      model.apply(params, ids(before), { cache });
      const shape = shapeOf(config);
      const format = formats.float32;
      expect(kvCache(shape, { contextLength: before, format }).bytes).toBe(cache.bytes);
      const { flops, calls } = count(() => model.apply(params, [1], { cache }));
      const step = cost(shape, { contextLength: before + 1, tileSize });
      expect(step.flops).toBe(flops);
      const { write: _, copy: __, ...computing } = calls;
      expect(step.calls).toBe(Object.values(computing).reduce((sum, times) => sum + times, 0));
    }),
    { numRuns: 30 },
  );
});

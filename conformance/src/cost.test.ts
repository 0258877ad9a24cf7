import * as attention from "@qkv/attention";
import { gatedDeltaRule, mix, mixerLayer, type AnyMixer } from "@qkv/attention";
import { catalogue } from "@qkv/attention/catalogue";
import {
  cost,
  costKinds,
  formats,
  kvCache,
  mixerCost,
  mixerNames,
  parameters,
  quantized,
  readCacheLayers,
  readConfig,
  type Format,
  type ModelShape,
} from "@qkv/cost";
import {
  growingCache,
  latentCache,
  mixedCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  sharedCache,
  stateCache,
  staticCache,
  type KvCache,
} from "@qkv/kv-cache";
import { count, isTensor, ones, silu, slice, tensorsOf, zeros, type Tensor } from "@qkv/tensor";
import { deepseek } from "@qkv/test-support/model-shapes";
import { randomInputs } from "@qkv/test-support/random-mixers";
import { cacheFor, decoder, encoder, load, type DecoderConfig } from "@qkv/transformer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../scripts/tier.mjs";
import { ownData } from "../reference-data.mjs";

// Compares the cost model with the operations and memory of the packages.

test("every kind of cost in the catalogue is tested here, and every tested kind is in the catalogue", () => {
  const named = new Set(catalogue.map(({ costKind }) => costKind as string));
  expect(Object.keys(costKinds).sort()).toEqual([...named].sort());
});

test("every mixer of the catalogue has a cost, and every cost is one of a mixer", () => {
  const mixers = catalogue.filter(({ kind }) => kind === "mixer").map(({ exports: [name] }) => name);
  expect([...mixerNames].sort()).toEqual(mixers.sort());
});

test.each(mixerNames)("the state of %s has the number of elements in its cost", (name) => {
  const sizes = { B: 2, H: 3, T: 9, K: 4, V: 4, M: 3, N: 3, L: 5, steps: 2 };
  const made = attention[name] as (options?: object) => AnyMixer;
  const mixer = made(name === "lightningAttention" ? { layer: 0, numLayers: 2 } : undefined);
  const random = randomInputs(mixer as never, sizes as never, 1);
  // A penalty above 0, which mesaNet needs.
  const inputs = {
    ...random,
    ...("regularization" in random && { regularization: ones([3, 4], { dtype: "float64" }) }),
  };
  const mixed = mix(mixer as never, inputs as never) as { state: Tensor | Record<string, Tensor> };
  // Excludes token counters: one number per sequence.
  const state = isTensor(mixed.state) ? mixed.state : { ...mixed.state, tokens: undefined };
  const call = { numHeads: 3, keyDim: 4, valueDim: 4, queryLength: 9, batchSize: 2, slots: 3, taps: 3 };
  const numbers = tensorsOf(state).reduce((sum, { data }) => sum + data.length, 0);
  expect(numbers).toBe(mixerCost(name, call).stateBytes / 4);
});

test("property: parameters and cache of a hybrid stack equal those of real layers", () => {
  const few = (min: number, max: number) => fc.integer({ min, max });
  fc.assert(
    fc.property(few(1, 2), few(1, 2), few(2, 5), few(2, 5), few(2, 4), few(1, 12), (...sizes) => {
      const [numKeyHeads, group, keyDim, valueDim, convolution, tokens] = sizes;
      const [numHeads, embedDim] = [numKeyHeads * group, 4 * group];
      const recurrent = mixerLayer({
        ...{ embedDim, numHeads, numKeyHeads, keyDim, valueDim, convolution },
        ...{ mixer: gatedDeltaRule(), outputGate: silu },
      });
      const own = { vocabSize: 7, embedDim, hiddenDim: 6, numHeads: group, numKvHeads: 1, numLayers: 4 };
      const layerTypes = [recurrent, recurrent, recurrent, "full"] as const;
      const model = decoder({ ...own, layerTypes, contextLength: 64, normEps: 1e-5, stopIds: [] });
      const params = model.init(1);
      const shape = readConfig({
        ...{ model_type: "llama", tie_word_embeddings: true, vocab_size: 7, hidden_size: embedDim },
        ...{ intermediate_size: 6, num_hidden_layers: 4, full_attention_interval: 4 },
        ...{ num_attention_heads: group, num_key_value_heads: 1, linear_conv_kernel_dim: convolution },
        ...{ linear_num_key_heads: numKeyHeads, linear_num_value_heads: numHeads },
        ...{ linear_key_head_dim: keyDim, linear_value_head_dim: valueDim },
      });
      const numbers = tensorsOf(params).reduce((sum, { data }) => sum + data.length, 0);
      expect(parameters(shape).total).toBe(numbers);
      const cache = cacheFor(model.config, { checkpoints: 0 });
      model.apply(params, ids(tokens), { cache });
      const call = { contextLength: tokens, format: formats.float32 };
      expect(cache.bytes).toBe(kvCache(shape, call).bytes);
    }),
    { numRuns: runs(20) },
  );
});

test.each([
  ...["arcee", "deepseek-v3", "deepseek-v32", "ernie4-5", "exaone4", "glm4", "mamba", "mamba2", "minicpm3"],
  ...["qwen3-5-text", "rwkv7"],
])("parameters and cache of %s equal those of the loaded model", async (name) => {
  const model = await load(ownData.path(`hf/${name}`));
  const shape = readConfig(ownData.json(`hf/${name}/config.json`));
  const numbers = tensorsOf(model.params).reduce((sum, { data }) => sum + data.length, 0);
  expect(parameters(shape).total).toBe(numbers);
  const cache = cacheFor(model.config, { checkpoints: 0 });
  model.apply(model.params, ids(5), { cache });
  expect(cache.bytes).toBe(kvCache(shape, { contextLength: 5, format: formats.float32 }).bytes);
});

test.each(["gemma3n-text", "gemma4-text"])(
  "the cache of %s, whose last layers share, has as many bytes as its cost says",
  async (name) => {
    const { config, params, apply } = await load(ownData.path(`hf/${name}`));
    const cache = cacheFor(config);
    const contextLength = 5; // within the window
    apply(params, ids(contextLength), { cache });
    const layers = readCacheLayers(ownData.json(`hf/${name}/config.json`) as Record<string, unknown>);
    expect(cache.bytes).toBe(kvCache(layers, { contextLength, format: formats.float32 }).bytes);
    expect(cache.numLayers).toBeLessThan(layers.length);
  },
);

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

/** The same model's config.json. */
type Sizes = Pick<
  DecoderConfig,
  "embedDim" | "numHeads" | "numKvHeads" | "hiddenDim" | "numLayers" | "vocabSize"
>;
const shapeOf = (config: Sizes, fields: Record<string, unknown> = {}): ModelShape =>
  readConfig({
    model_type: "llama",
    hidden_size: config.embedDim,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    intermediate_size: config.hiddenDim,
    num_hidden_layers: config.numLayers,
    vocab_size: config.vocabSize,
    tie_word_embeddings: true,
    ...fields,
  });

const ids = (length: number) => new Array<number>(length).fill(1);
// The plain kernel computes whole tiles of 64 queries and keys.
const tileSize = 64;

test("property: FLOPs of a prompt equal those that `count` reports for a forward pass", () => {
  fc.assert(
    fc.property(config, fc.integer({ min: 1, max: 200 }), (config, queryLength) => {
      const model = decoder(config);
      const params = model.init(1);
      const { flops } = count(() => model.apply(params, ids(queryLength)));
      expect(cost(shapeOf(config), { queryLength, tileSize }).flops).toBe(flops);
    }),
    { numRuns: runs(30) },
  );
});

test("property: FLOPs and calls of a step with a cache equal those of `count`; so does the size of the cache", () => {
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
    { numRuns: runs(30) },
  );
});

// Relatives of Llama, as a configuration of ours and as config.json.
const siblings: [string, Partial<DecoderConfig>, Record<string, unknown>][] = [
  [
    "GPT-2",
    {
      norm: "layer",
      activation: "geluTanh",
      gated: false,
      positions: "learned",
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    },
    { model_type: "gpt2", max_position_embeddings: 300 },
  ],
  ["Qwen 2", { bias: { queryKeyValue: true } }, { model_type: "qwen2" }],
  ["Qwen 3", { qkNorm: true }, { model_type: "qwen3" }],
  [
    "Mistral",
    { layerTypes: ["sliding", "sliding"], window: 70 },
    { model_type: "mistral", sliding_window: 70 },
  ],
  [
    "windows in every other layer",
    { layerTypes: ["full", "sliding"], window: 3 },
    { sliding_window: 3, layer_types: ["full_attention", "sliding_attention"] },
  ],
  ["narrow heads", { headDim: 2 }, { head_dim: 2 }],
];

test.each(siblings)("property: FLOPs of %s", (_, change, fields) => {
  fc.assert(
    fc.property(config, fc.integer({ min: 1, max: 200 }), (sizes, queryLength) => {
      const config = { ...sizes, numLayers: 2, ...change };
      const model = decoder(config);
      const params = model.init(1);
      const { flops } = count(() => model.apply(params, ids(queryLength)));
      expect(cost(shapeOf(config, fields), { queryLength, tileSize }).flops).toBe(flops);
    }),
    { numRuns: 10 },
  );
});

test("property: FLOPs of an encoder", () => {
  fc.assert(
    fc.property(config, fc.integer({ min: 1, max: 100 }), (sizes, queryLength) => {
      const { vocabSize, embedDim, hiddenDim, numLayers, numHeads } = sizes;
      const own = { vocabSize, embedDim, hiddenDim, numLayers, numHeads, numTypes: 2, contextLength: 300 };
      const model = encoder({ ...own, normEps: 1e-5 });
      const config = { ...sizes, ...own, numKvHeads: numHeads };
      const params = model.init(1);
      const { flops } = count(() => model.apply(params, ids(queryLength)));
      const fields = { model_type: "bert", max_position_embeddings: 300, add_pooling_layer: false };
      expect(cost(shapeOf(config, fields), { queryLength, tileSize }).flops).toBe(flops);
    }),
    { numRuns: 10 },
  );
});

test("property: bytes of static, rolling, paged and quantized caches", () => {
  const size = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: 1, max: 40 }), (B, Hkv, layers, tokens) => {
      const D = 8;
      const shape = (more = {}) =>
        readConfig({
          model_type: "mistral",
          hidden_size: Hkv * D,
          num_attention_heads: Hkv,
          num_hidden_layers: layers,
          intermediate_size: 1,
          vocab_size: 1,
          ...more,
        });
      const filled = (cache: KvCache, length: number) => {
        const x = zeros([B, Hkv, length, D]);
        for (let layer = 0; layer < layers; layer++) cache.update(layer, x, x);
        return cache.bytes;
      };
      const of = (contextLength: number, format: Format = formats.float32, more = {}) =>
        kvCache(shape(more), { contextLength, batchSize: B, format }).bytes;

      const numLayers = layers;
      expect(filled(staticCache({ maxLength: 50, numLayers }), tokens)).toBe(of(50));
      const window = { sliding_window: 7 };
      expect(filled(rollingCache({ windowSize: 7, numLayers }), 7 + tokens)).toBe(
        of(7 + tokens, undefined, window),
      );
      // Pages are shared by the batch.
      const pages = Math.ceil(tokens / 4) * B;
      expect(filled(pagedCache({ pages, pageLength: 4, numLayers }), tokens)).toBe(
        of(Math.ceil(tokens / 4) * 4),
      );
      // A scale for each channel of keys per group of tokens, and for each token of values: as many in groups of D.
      // Tokens of an incomplete group are floats; the capacity for groups doubles.
      const groups = 2 ** (tokens % 5);
      const format = quantized({ bits: 8, blockSize: D, scaleBits: 32 });
      const cache = quantizedCache({ groupSize: D, residualLength: 0, numLayers });
      expect(filled(cache, D * groups)).toBe(of(D * groups, format) + of(D));
    }),
    { numRuns: runs(20) },
  );
});

test("property: bytes of latents, of states and of shared layers equal those of the caches", () => {
  const size = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: 1, max: 40 }), (B, heads, layers, tokens) => {
      const format = formats.float32;
      const call = { contextLength: tokens, batchSize: B, format };
      const sizes = { num_hidden_layers: layers, vocab_size: 1, intermediate_size: 1, hidden_size: 8 };
      // DeepSeek: a latent and a rotary key.
      const [r, rope] = [3 * heads, 2];
      const mla = { ...deepseek, ...sizes, kv_lora_rank: r, qk_rope_head_dim: rope };
      const latents = latentCache({ latentDim: r, numLayers: layers });
      const key = zeros([B, 1, tokens, r + rope]);
      for (let layer = 0; layer < layers; layer++) latents.update(layer, key, slice(key, 3, 0, r));
      expect(latents.bytes).toBe(kvCache(readConfig(mla), call).bytes);

      // Qwen3-Next: three layers with a state and a convolution, then one with keys and values.
      const hybrid = readConfig({
        ...{ model_type: "qwen3_next", vocab_size: 1, hidden_size: 8, intermediate_size: 1 },
        ...{ num_hidden_layers: 4, num_attention_heads: heads, num_key_value_heads: heads, head_dim: 4 },
        ...{ linear_num_key_heads: heads, linear_num_value_heads: 2 * heads, linear_key_head_dim: 3 },
        ...{ linear_value_head_dim: 5, linear_conv_kernel_dim: 4, full_attention_interval: 4 },
        ...{
          num_experts: 2,
          num_experts_per_tok: 1,
          moe_intermediate_size: 1,
          shared_expert_intermediate_size: 1,
        },
      });
      const states = stateCache({ numLayers: 3, checkpoints: 0 });
      const cache = mixedCache([states, states, states, growingCache()]);
      const state = zeros([B, 2 * heads, 3, 5]);
      const conv = zeros([B, 2 * heads * 3 + 2 * heads * 5, 3]);
      for (const layer of [0, 1, 2]) cache.advance(layer, { state, conv }, tokens);
      const x = zeros([B, heads, tokens, 4]);
      cache.update(3, x, x);
      expect(cache.bytes).toBe(kvCache(hybrid, call).bytes);

      // The same with paged keys, and a checkpoint of the states for a cached prefix.
      const pages = Math.ceil(tokens / 4);
      const paged = stateCache({ numLayers: 3, checkpoints: 0 });
      const prefixes = prefixCache({ pages, pageLength: 4, layers: [paged, paged, paged, "paged"] });
      const sequence = (y: Tensor) => slice(y, 0, 0, 1);
      for (const layer of [0, 1, 2])
        prefixes.advance(layer, { state: sequence(state), conv: sequence(conv) }, tokens);
      prefixes.update(3, sequence(x), sequence(x));
      const inPages = { contextLength: 4 * pages, format };
      expect(prefixes.bytes).toBe(kvCache(hybrid, inPages).bytes);
      prefixes.insertPrefix(Array.from({ length: tokens }, (_, t) => t));
      const statesAlone = kvCache(hybrid, { contextLength: 0, format }).bytes;
      expect(prefixes.bytes).toBe(kvCache(hybrid, inPages).bytes + statesAlone);

      // A layer that shares another's keys and values stores none.
      const own = { numbersPerToken: 2 * heads * 4, reach: { kind: "causal" } } as const;
      const shared = sharedCache(growingCache(), [0, 0]);
      shared.update(0, x, x);
      expect(shared.bytes).toBe(kvCache([own, { ...own, numbersPerToken: 0 }], call).bytes);
    }),
    { numRuns: runs(20) },
  );
});

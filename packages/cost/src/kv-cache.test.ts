import fc from "fast-check";
import { expect, test } from "vitest";
import { formats, quantized } from "./formats.js";
import { kvCache, readCacheLayers } from "./kv-cache.js";
import { readConfig } from "./read-config.js";
import { deepseek, gpt2, llamaConfig, t5 } from "@qkv/test-support/model-shapes";

test("property: bytes are layers · heads · (D + Dv) · tokens · batch · bytes, limited by a window", () => {
  fc.assert(
    fc.property(
      llamaConfig,
      fc.nat(60),
      fc.integer({ min: 1, max: 5 }),
      (config, contextLength, batchSize) => {
        const kept = Math.min(contextLength, config.sliding_window ?? Infinity);
        const { num_hidden_layers: L, num_key_value_heads: Hkv, head_dim: D } = config;
        const size = kvCache(readConfig(config), { contextLength, batchSize, format: formats.float32 });
        expect(size.bytes).toBe(L * Hkv * (D + D) * kept * batchSize * 4);
        expect(size.bytesPerToken).toBe(4 * size.numbersPerToken);
        expect(size.bytes).toBe(size.bytesPerRequest * batchSize);
      },
    ),
  );
});

test("property: the cache is proportional to the number of key-value heads", () => {
  fc.assert(
    fc.property(llamaConfig, (config) => {
      const of = (heads: number) =>
        kvCache(readConfig({ ...config, num_key_value_heads: heads })).numbersPerToken;
      expect(of(config.num_attention_heads)).toBe(of(1) * config.num_attention_heads);
    }),
  );
});

test("latent attention caches one row, an encoder-decoder the encoder's rows too, an encoder nothing", () => {
  expect(kvCache(readConfig(deepseek)).bytesPerToken).toBe(70272);
  const indexed = { model_type: "deepseek_v32", index_n_heads: 64, index_head_dim: 128, index_topk: 2048 };
  expect(kvCache(readConfig({ ...deepseek, ...indexed })).numbersPerToken).toBe(61 * (512 + 64 + 128));
  const table = { n_layers: 61, kv_lora_rank: 512, qk_rope_head_dim: 64 };
  expect(kvCache(readCacheLayers({ ...table, ...indexed })).numbersPerToken).toBe(61 * (512 + 64 + 128));
  const small = kvCache(readConfig(t5), { contextLength: 3, sourceLength: 10 });
  expect(small).toMatchObject({ bytesPerToken: 6 * 1024 * 2, bytesPerSourceToken: 6 * 1024 * 2 });
  expect(small.bytes).toBe(13 * 6 * 1024 * 2);
  const bert = {
    model_type: "bert",
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 8,
    vocab_size: 9,
    max_position_embeddings: 4,
  };
  expect(kvCache(readConfig(bert), { contextLength: 4 }).bytes).toBe(0);
});

test("hybrid models: caches of windowed layers stop growing, those of recurrent layers never grow", () => {
  const gemma = readConfig({
    model_type: "gemma3_text",
    hidden_size: 64,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 16,
    intermediate_size: 8,
    vocab_size: 9,
    sliding_window: 10,
  });
  const of = (contextLength: number) => kvCache(gemma, { contextLength }).bytes / (2 * 16 * 2);
  expect([of(10), of(11), of(1000)]).toEqual([60, 61, 1050]);
  const next = readConfig({
    model_type: "qwen3_next",
    hidden_size: 64,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 16,
    intermediate_size: 8,
    vocab_size: 9,
    full_attention_interval: 4,
    linear_num_key_heads: 2,
    linear_num_value_heads: 4,
    linear_key_head_dim: 8,
    linear_value_head_dim: 8,
  });
  const state = 3 * (4 * 8 * 8 + 3 * (2 * 16 + 32)) * 2;
  expect([0, 100].map((contextLength) => kvCache(next, { contextLength }).bytes)).toEqual([
    state,
    state + 100 * 2 * 16 * 2,
  ]);
});

test("quantized caches count their scales", () => {
  const format = quantized({ bits: 8, blockSize: 64, scaleBits: 32 });
  expect(kvCache(gpt2, { format }).bytesPerToken).toBe(2 * 768 * 12 * (1 + 4 / 64));
});

test.each([
  [
    { n_layers: 2, head_dim: 4 },
    "readCacheLayers: `num_key_value_heads` is undefined, expected an integer, 1 or more",
  ],
  [{ n_layers: 2, n_kv_heads: null, head_dim: 4 }, "`n_kv_heads` is null"],
  [{ n_layers: 2, kv_lora_rank: 4 }, "`qk_rope_head_dim` is undefined"],
])("a table with a missing field is refused: %j", (config, message) => {
  expect(() => readCacheLayers(config)).toThrow(message);
});

test("readCacheLayers reads GQA, MQA, MHA, MLA and windows from a table", () => {
  const table = { n_layers: 2, n_heads: 8, n_kv_heads: 2, head_dim: 4 };
  const layers = (more: object) => readCacheLayers({ ...table, ...more });
  const causal = { kind: "causal" };
  const twice = (layer: object) => [layer, layer];
  expect(layers({})).toEqual(twice({ numbersPerToken: 2 * 2 * 4, reach: causal }));
  expect(layers({ attention: "MQA", n_kv_heads: undefined })).toEqual(
    twice({ numbersPerToken: 2 * 4, reach: causal }),
  );
  expect(layers({ attention: "MHA", n_kv_heads: undefined })).toEqual(
    twice({ numbersPerToken: 2 * 8 * 4, reach: causal }),
  );
  expect(layers({ kv_lora_rank: 16, qk_rope_head_dim: 3 })).toEqual(
    twice({ numbersPerToken: 16 + 3, reach: causal }),
  );
  expect(layers({ sliding_window: 5 })).toEqual(
    twice({ numbersPerToken: 2 * 2 * 4, reach: { kind: "window", size: 5 } }),
  );
});

test("a layer with chunks caches at most one chunk", () => {
  const layer = { numbersPerToken: 1, reach: { kind: "chunk", size: 8 } } as const;
  expect(kvCache([layer], { contextLength: 100 }).bytes).toBe(8 * 2);
});

test("a fractional context length is refused", () => {
  expect(() => kvCache(gpt2, { contextLength: 0.5 })).toThrow(
    "kvCache: `contextLength` is 0.5, expected an integer number of tokens, 0 or more.\nFix: count tokens",
  );
});

import { expect, test } from "vitest";
import { kvCache } from "./kv-cache.js";
import { parameters } from "./parameters.js";
import { readConfig } from "./read-config.js";
import { gpt2 } from "@qkv/test-support/model-shapes";

const table = {
  architecture: "llama",
  n_layers: 5,
  d_model: 64,
  n_heads: 8,
  n_kv_heads: 4,
  head_dim: 8,
  d_ff: 172,
  vocab_size: 512,
  max_positions: 512,
  tie_word_embeddings: true,
};

test("readConfig accepts a row of a table of shapes, and the text of a file", () => {
  expect(parameters(readConfig(table)).total).toBe(260032);
  const text =
    '{ "model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257 }';
  expect(readConfig(text)).toEqual(gpt2);
});

test.each(["n_heads", "n_kv_heads", "head_dim", "d_ff", "vocab_size"])(
  "%s of null is refused by name",
  (name) => {
    expect(() => readConfig({ ...table, [name]: null })).toThrow(
      `readConfig: \`${name}\` is null, expected an integer, 1 or more.\nFix: look the size up`,
    );
  },
);

test("null positions are unknown, a null query rank is a full projection", () => {
  expect(readConfig({ ...table, max_positions: null }).contextLength).toBe(null);
  const latent = {
    ...table,
    architecture: "deepseek_v2",
    q_lora_rank: null,
    kv_lora_rank: 16,
    qk_nope_head_dim: 8,
    qk_rope_head_dim: 4,
    v_head_dim: 8,
  };
  expect(readConfig(latent).decoder?.layers[0]?.attention).toMatchObject({ kind: "latent", queryRank: null });
});

test("a multimodal configuration is read for its text model", () => {
  const { architecture: _, ...config } = { ...table, model_type: "llama" };
  const seeing = readConfig({ model_type: "llava", vision_config: {}, text_config: config });
  expect(seeing).toEqual(readConfig(config));
});

test("windowed layers are read from a list, a pattern or a number of layers", () => {
  const reaches = (config: Record<string, unknown>) =>
    readConfig({ ...table, sliding_window: 16, ...config }).decoder?.layers.map(({ attention }) =>
      attention.kind === "heads" ? attention.reach.kind : attention.kind,
    );
  const [window, causal] = ["window", "causal"];
  expect(reaches({ architecture: "mistral" })).toEqual([window, window, window, window, window]);
  expect(reaches({ architecture: "gemma2" })).toEqual([window, causal, window, causal, window]);
  expect(reaches({ architecture: "gemma3_text", sliding_window_pattern: 3 })).toEqual([
    window,
    window,
    causal,
    window,
    window,
  ]);
  expect(reaches({ architecture: "qwen2" })).toEqual([causal, causal, causal, causal, causal]);
  expect(reaches({ architecture: "qwen2", use_sliding_window: true, max_window_layers: 3 })).toEqual([
    causal,
    causal,
    causal,
    window,
    window,
  ]);
  const layer_types = [
    "full_attention",
    "sliding_attention",
    "full_attention",
    "full_attention",
    "full_attention",
  ];
  expect(reaches({ layer_types })).toEqual([causal, window, causal, causal, causal]);
  expect(reaches({ architecture: "llama4_text", sliding_window: null, attention_chunk_size: 8 })).toEqual([
    "chunk",
    "chunk",
    "chunk",
    causal,
    "chunk",
  ]);
});

test("with full_attention_interval n, every n-th layer has full attention", () => {
  const { decoder } = readConfig({
    ...table,
    architecture: "qwen3_next",
    n_layers: 6,
    full_attention_interval: 3,
    linear_num_key_heads: 2,
    linear_num_value_heads: 4,
    linear_key_head_dim: 8,
    linear_value_head_dim: 8,
  });
  const [state, heads] = ["state", "heads"];
  expect(decoder?.layers.map(({ attention }) => attention.kind)).toEqual([
    ...[state, state, heads],
    ...[state, state, heads],
  ]);
});

test("an encoder's window is centered on the token", () => {
  const { encoder } = readConfig({ ...table, architecture: "modernbert", local_attention: 128 });
  const around = { kind: "around", size: 64 };
  expect(encoder?.layers.map(({ attention }) => attention.kind === "heads" && attention.reach)).toEqual([
    ...[{ kind: "all" }, around, around],
    ...[{ kind: "all" }, around],
  ]);
});

test("multi_query of older configurations is one key-value head", () => {
  const falcon = {
    model_type: "falcon",
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    vocab_size: 9,
  };
  const kept = (config: Record<string, unknown>) =>
    kvCache(readConfig({ ...falcon, ...config })).numbersPerToken / (2 * 2 * 16);
  expect([
    kept({}),
    kept({ multi_query: false }),
    kept({ new_decoder_architecture: true, num_kv_heads: 2 }),
  ]).toEqual([1, 4, 2]);
});

test.each([
  [{ model_type: "rnn" }, 'readConfig: `model_type` is "rnn", expected one of llama, mistral'],
  [{}, "`model_type` is undefined"],
  [
    "{",
    'readConfig: `config` is "{", expected the text of a config.json.\nFix: give the whole file, which is one JSON object.',
  ],
  [[1], "readConfig: `config` is [1], expected the object in a config.json"],
  [{ ...table, n_layers: 0 }, "`n_layers` is 0, expected an integer, 1 or more"],
  [{ ...table, n_heads: 6 }, "`num_key_value_heads` is 4, expected a divisor of the number of heads, 6"],
  [
    { ...table, head_dim: undefined, n_heads: 12 },
    "`head_dim` is undefined, expected an integer, and the width 64 divided by 12 heads is none",
  ],
])("refused: %j", (config, message) => {
  expect(() => readConfig(config)).toThrow(message);
});

test.each([
  { model_type: "gpt2", n_layer: 2 ** 40, n_positions: 4 },
  { model_type: "t5", d_kv: 4, d_ff: 8, num_layers: 2 ** 40 },
  { model_type: "t5", d_kv: 4, d_ff: 8, num_layers: 1, num_decoder_layers: 2 ** 31 },
])("too many layers are refused, not allocated: %j", (own) => {
  const config = { n_embd: 8, n_head: 2, vocab_size: 9, ...own };
  expect(() => readConfig(config)).toThrow(
    /readConfig: `config` is .*layers.*\nFix: check the number of layers/,
  );
});

test("an unknown layer type is refused with its index", () => {
  const lfm = { ...table, layer_types: ["conv", "full_attention", "conv", "conv", "full_attention"] };
  expect(() => readConfig(lfm)).toThrow(
    'readConfig: `layer_types[0]` is "conv", expected one of full_attention, sliding_attention',
  );
  const short = { ...table, layer_types: ["full_attention"] };
  expect(() => readConfig(short)).toThrow("`layer_types.length` is 1, expected 5, one per layer");
});

test("a bidirectional decoder is an encoder: windows are centered, and there is no cache", () => {
  const embedding = readConfig({
    model_type: "gemma3_text",
    hidden_size: 64,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 16,
    intermediate_size: 128,
    vocab_size: 100,
    sliding_window: 8,
    use_bidirectional_attention: true,
  });
  const reaches = embedding.encoder!.layers.map(
    ({ attention }) => attention.kind === "heads" && attention.reach,
  );
  expect(reaches[0]).toEqual({ kind: "around", size: 4 });
  expect(reaches[5]).toEqual({ kind: "all" });
  expect([embedding.decoder, kvCache(embedding).bytesPerToken]).toEqual([undefined, 0]);
});

test.each([
  [{ model_type: "dinov2", mlp_ratio: -1 }, "`mlp_ratio` is -1, expected a number above 0"],
  [{ model_type: "vit", patch_size: 300, add_pooling_layer: false }, "`patch_size` is 300"],
  [
    { ...table, architecture: "albert", n_layers: 4, num_hidden_groups: 3 },
    "`num_hidden_groups` is 3, expected a divisor of num_hidden_layers",
  ],
  [
    { ...table, architecture: "marian", share_encoder_decoder_embeddings: false },
    "one token table for both sides",
  ],
])("an impossible shape is refused: %j", (config, message) => {
  expect(() => readConfig(config)).toThrow(message);
});

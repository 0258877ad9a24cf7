// Hybrid models: recurrent layers with a state, and attention layers with keys and values.
import { expect, test } from "vitest";
import { cost } from "./cost.js";
import { formats } from "./formats.js";
import { kvCache, readCacheLayers } from "./kv-cache.js";
import { parameters } from "./parameters.js";
import { readConfig } from "./read-config.js";

const layerTypes = (slides: readonly boolean[]) =>
  slides.map((one) => (one ? "sliding_attention" : "full_attention"));

// Configurations of tiny models made by transformers, and the numbers of parameters in their safetensors files.
const tiny: Record<string, [config: Record<string, unknown>, parameters: number]> = {
  minimax: [
    {
      model_type: "minimax",
      hidden_size: 48,
      intermediate_size: 24,
      num_hidden_layers: 3,
      num_attention_heads: 6,
      num_key_value_heads: 2,
      head_dim: 8,
      vocab_size: 112,
      layer_types: ["linear_attention", "full_attention", "linear_attention"],
      tie_word_embeddings: false,
      num_local_experts: 3,
      num_experts_per_tok: 2,
    },
    71904,
  ],
  lfm2: [
    {
      model_type: "lfm2",
      hidden_size: 48,
      intermediate_size: 80,
      num_hidden_layers: 3,
      num_attention_heads: 6,
      num_key_value_heads: 2,
      vocab_size: 112,
      layer_types: ["conv", "full_attention", "conv"],
      tie_word_embeddings: true,
      conv_L_cache: 3,
      block_auto_adjust_ff_dim: false,
    },
    65152,
  ],
  "granite-moe-hybrid": [
    {
      model_type: "granitemoehybrid",
      hidden_size: 48,
      intermediate_size: 20,
      num_hidden_layers: 3,
      num_attention_heads: 6,
      num_key_value_heads: 2,
      vocab_size: 112,
      layer_types: ["linear_attention", "full_attention", "linear_attention"],
      tie_word_embeddings: false,
      num_local_experts: 4,
      num_experts_per_tok: 2,
      shared_intermediate_size: 28,
      mamba_n_heads: 8,
      mamba_d_head: 12,
      mamba_d_state: 6,
      mamba_n_groups: 1,
      mamba_d_conv: 4,
      mamba_conv_bias: true,
    },
    95352,
  ],
  "falcon-h1": [
    {
      model_type: "falcon_h1",
      hidden_size: 48,
      intermediate_size: 80,
      num_hidden_layers: 2,
      num_attention_heads: 6,
      num_key_value_heads: 2,
      head_dim: 8,
      vocab_size: 112,
      tie_word_embeddings: false,
      mamba_n_heads: 4,
      mamba_d_head: 12,
      mamba_d_state: 6,
      mamba_n_groups: 2,
      mamba_d_conv: 4,
      mamba_conv_bias: true,
      mamba_rms_norm: false,
    },
    63576,
  ],
  // The parameters include those of the activation functions (`alpha_p`, `alpha_n`, `beta`, `eps`).
  apertus: [
    {
      model_type: "apertus",
      hidden_size: 48,
      intermediate_size: 80,
      num_hidden_layers: 2,
      num_attention_heads: 6,
      num_key_value_heads: 2,
      vocab_size: 112,
      tie_word_embeddings: false,
    },
    38680,
  ],
  diffllama: [
    {
      model_type: "diffllama",
      hidden_size: 48,
      intermediate_size: 80,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      vocab_size: 112,
      tie_word_embeddings: false,
    },
    47952,
  ],
  "gemma3n-text": [
    {
      model_type: "gemma3n_text",
      altup_num_inputs: 3,
      head_dim: 8,
      hidden_size: 48,
      hidden_size_per_layer_input: 12,
      intermediate_size: [80, 80, 80, 80, 80],
      laurel_rank: 6,
      layer_types: layerTypes([true, false, true, true, false]),
      num_attention_heads: 6,
      num_hidden_layers: 5,
      num_key_value_heads: 2,
      num_kv_shared_layers: 2,
      sliding_window: 6,
      vocab_size: 112,
    },
    121024,
  ],
  "gemma4-text": [
    {
      model_type: "gemma4_text",
      head_dim: 8,
      hidden_size: 48,
      hidden_size_per_layer_input: 10,
      intermediate_size: 80,
      layer_types: layerTypes([true, false, true, false]),
      num_attention_heads: 6,
      num_hidden_layers: 4,
      num_key_value_heads: 2,
      num_kv_shared_layers: 1,
      per_layer_config: { 1: { head_dim: 16 }, 3: { head_dim: 16 } },
      sliding_window: 6,
      use_double_wide_mlp: true,
      vocab_size: 112,
    },
    108110,
  ],
  "nemotron-h": [
    {
      model_type: "nemotron_h",
      hidden_size: 48,
      intermediate_size: 80,
      layers_block_type: ["linear_attention", "full_attention", "linear_attention", "mlp", "moe"],
      num_attention_heads: 6,
      num_key_value_heads: 2,
      head_dim: 8,
      vocab_size: 112,
      mamba_num_heads: 4,
      mamba_head_dim: 12,
      ssm_state_size: 6,
      n_groups: 2,
      conv_kernel: 4,
      n_routed_experts: 4,
      num_experts_per_tok: 2,
      moe_intermediate_size: 20,
      moe_shared_expert_intermediate_size: 24,
    },
    52396,
  ],
  // Made by RWKV-LM. Tensors of its file that no layer reads are not counted.
  rwkv7: [
    {
      model_type: "rwkv7",
      n_layer: 2,
      n_embd: 32,
      dim_ffn: 128,
      head_size: 8,
      vocab_size: 112,
      decay_lora: 6,
      aaa_lora: 5,
      mv_lora: 4,
      gate_lora: 7,
    },
    35616,
  ],
};
const tinyShape = (name: string) => readConfig(tiny[name]![0]);

test.each(Object.entries(tiny))("parameters of %s", (_, [config, count]) => {
  expect(parameters(readConfig(config)).total).toBe(count);
});

test("cache sizes of recurrent states: decay, short convolution, and selective scan with its convolution", () => {
  const at = (name: string, contextLength: number) =>
    kvCache(tinyShape(name), { contextLength, format: formats.float32 }).bytes / 4;
  // For each model: numbers in the recurrent states, and the number of attention layers. In each of those, a token has a key and a
  // value of 8 numbers for each of 2 heads.
  const states = {
    minimax: [2 * 6 * 8 * 8, 1],
    lfm2: [2 * 2 * 48, 1],
    "granite-moe-hybrid": [2 * (8 * 6 * 12 + 3 * (96 + 2 * 6)), 1],
    "falcon-h1": [2 * (4 * 6 * 12 + 3 * (48 + 4 * 6)), 2],
    // The state of each head, and the previous token of both token shifts of a layer.
    rwkv7: [2 * (4 * 8 * 8 + 2 * 32), 0],
    "nemotron-h": [2 * (4 * 6 * 12 + 3 * (48 + 2 * 2 * 6)), 1],
  };
  for (const [name, [state, attentionLayers]] of Object.entries(states)) {
    expect([at(name, 0), at(name, 100)], name).toEqual([state, state! + 100 * attentionLayers! * 2 * 2 * 8]);
  }
});

test("a recurrent layer has the same cost per token in any context", () => {
  const flops = (name: string, contextLength: number) => {
    const { operators } = cost(tinyShape(name), { contextLength });
    return operators.filter(({ name }) => name === "attention state").map(({ flops }) => flops);
  };
  // 5 · K · V for each head with a decay; 2 · N + 2 for each channel of a convolution.
  expect(flops("minimax", 10)).toEqual([2 * 6 * 5 * 8 * 8]);
  expect(flops("lfm2", 10)).toEqual([2 * 8 * 48]);
  expect(flops("granite-moe-hybrid", 1000)).toEqual([2 * 8 * 5 * 6 * 12]);
  expect(flops("nemotron-h", 1000)).toEqual([2 * 4 * 5 * 6 * 12]);
  // Two entries, as the first layer of RWKV-7 differs from the second.
  expect(flops("rwkv7", 1000)).toEqual([4 * 9 * 8 * 8, 4 * 9 * 8 * 8]);
  for (const name of Object.keys(tiny)) expect(flops(name, 1000)).toEqual(flops(name, 10));
});

test("LFM2's hidden width is two thirds of the field, rounded up, if the configuration enables it", () => {
  const hidden = (more: object) => {
    const config = { ...tiny["lfm2"]![0], block_auto_adjust_ff_dim: undefined, ...more };
    const { feedForward } = readConfig(config).decoder!.layers[0]!;
    return feedForward.kind === "dense" ? feedForward.hiddenDim : undefined;
  };
  expect(hidden({ intermediate_size: 12288 })).toBe(8192);
  expect(hidden({ intermediate_size: 6656, block_multiple_of: 256 })).toBe(4608);
  expect(hidden({ block_auto_adjust_ff_dim: false })).toBe(80);
});

test("RWKV-7: head size and ranks are read, and errors name their fields", () => {
  const [config] = tiny["rwkv7"]!;
  const { dim_ffn: _, ...without } = config;
  expect(parameters(readConfig(without)).total).toBe(35616); // 4 · n_embd
  expect(() => readConfig({ ...config, head_size: 7 })).toThrow(
    "readConfig: `head_size` is 7, expected a divisor of the width 32",
  );
  expect(() => readConfig({ ...config, gate_lora: undefined })).toThrow(/`gate_lora` is undefined/);
});

test("layer types of another architecture are refused", () => {
  const [config] = tiny["lfm2"]!;
  expect(() => readConfig({ ...config, layer_types: ["mamba", "conv", "conv"] })).toThrow(
    '`layer_types[0]` is "mamba", expected one of full_attention, sliding_attention, chunked_attention, conv',
  );
  const mamba = { layer_types: ["mamba", "attention", "mamba"] };
  const granite = tiny["granite-moe-hybrid"]![0];
  expect(readConfig({ ...granite, ...mamba })).toEqual(readConfig(granite));
});

test("layers that share keys and values of another have no cache (Gemma 3n)", () => {
  const layer_types = ["sliding", "full", "sliding", "sliding", "full"].map((type) => `${type}_attention`);
  const config = {
    num_hidden_layers: 5,
    num_key_value_heads: 2,
    head_dim: 8,
    sliding_window: 6,
    layer_types,
  };
  const numbers = (more: object, contextLength: number) =>
    kvCache(readCacheLayers({ ...config, ...more }), { contextLength, format: formats.float32 }).bytes / 4;
  expect(numbers({}, 100)).toBe((3 * 6 + 2 * 100) * 32);
  expect(numbers({ num_kv_shared_layers: 2 }, 100)).toBe((2 * 6 + 100) * 32);
  expect(numbers({ num_kv_shared_layers: 0 }, 100)).toBe(numbers({}, 100));
});

test("an eviction budget limits keys and values, not recurrent states", () => {
  const numbers = (contextLength: number, budget?: number) =>
    kvCache(tinyShape("minimax"), {
      contextLength,
      format: formats.float32,
      ...(budget !== undefined && { budget }),
    }).bytes / 4;
  expect(numbers(100, 40)).toBe(numbers(40));
  expect(numbers(30, 40)).toBe(numbers(30));
  expect(() => kvCache(tinyShape("minimax"), { budget: 0 })).toThrow(/kvCache: `budget` is 0/);
});

test("a layer that shares keys has no cache, whatever its head dimension", () => {
  const kept = (name: string) =>
    kvCache(tinyShape(name), { contextLength: 4, format: formats.float32 }).bytes / 4 / 4;
  expect(kept("gemma3n-text")).toBe(3 * 2 * 2 * 8);
  expect(kept("gemma4-text")).toBe(2 * 2 * (8 + 16 + 8));
});

test("Nemotron-H: each layer is a mixer, attention or a feed-forward layer, by a list of names or a string of letters", () => {
  const { layers_block_type: _, ...config } = tiny["nemotron-h"]![0];
  const { layers } = tinyShape("nemotron-h").decoder!;
  expect(layers.map(({ attention, feedForward }) => [attention.kind, feedForward.kind])).toEqual([
    ["state", "none"],
    ["heads", "none"],
    ["state", "none"],
    ["none", "dense"],
    ["none", "experts"],
  ]);
  expect(readConfig({ ...config, hybrid_override_pattern: "M*M-E" })).toEqual(tinyShape("nemotron-h"));
  expect(() => readConfig({ ...config, hybrid_override_pattern: "M*X" })).toThrow(
    /`hybrid_override_pattern\[2\]` is "X", expected one of/,
  );
  const sums = cost(tinyShape("nemotron-h"), { contextLength: 8 }).operators.filter(
    ({ name }) => name === "residual",
  );
  expect(sums.reduce((all, { times }) => all + times, 0)).toBe(5);
});

test("differential attention multiplies the weights of a head with the values of two heads", () => {
  const flops = (model_type: string) =>
    cost(readConfig({ ...tiny["diffllama"]![0], model_type }), { contextLength: 8 }).operators.find(
      ({ name }) => name === "attention scores",
    )!.flops;
  // 2 · D for a dot product, 2 · D for a value of one head, 5 for the softmax.
  expect(flops("diffllama") / flops("llama")).toBeCloseTo((2 * 12 + 4 * 12 + 5) / (4 * 12 + 5), 12);
});

test("unsupported variants of Gemma 4 are refused by name, and full layers have their own head dimension", () => {
  const { per_layer_config: _, ...config } = tiny["gemma4-text"]![0];
  expect(() => readConfig({ ...config, attention_k_eq_v: true })).toThrow(
    /`attention_k_eq_v` is true, expected false/,
  );
  expect(() => readConfig({ ...config, enable_moe_block: true })).toThrow(/`enable_moe_block` is true/);
  const dims = (more: object) =>
    readConfig({ ...config, ...more }).decoder!.layers.map(
      ({ attention }) => attention.kind === "heads" && attention.headDim,
    );
  expect(dims({})).toEqual([8, 512, 8, 512]);
  expect(dims({ global_head_dim: 16 })).toEqual([8, 16, 8, 16]);
});

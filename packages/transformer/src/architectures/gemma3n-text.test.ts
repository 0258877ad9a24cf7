import { expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import { decoder } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { readFields } from "./config-entry.js";
import { configFields } from "./config-fields.js";
import { gemma3nText } from "./gemma3n-text.js";

/** Fields of published configurations, with small sizes. */
const published = {
  ...{ vocab_size: 20, hidden_size: 16, num_hidden_layers: 5, intermediate_size: [24, 24, 24, 32, 24] },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 4, max_position_embeddings: 64 },
  ...{ rope_theta: 1e6, rope_local_base_freq: 1e4, rope_scaling: null, sliding_window: 8 },
  ...{ activation_sparsity_pattern: [0.95, 0.95, 0, 0, 0], num_kv_shared_layers: 2, laurel_rank: 3 },
  ...{ altup_num_inputs: 2, altup_lr_multiplier: 1, altup_correct_scale: true, query_pre_attn_scalar: 256 },
  ...{ hidden_size_per_layer_input: 4, vocab_size_per_layer_input: 18 },
  layer_types: ["sliding", "full", "sliding", "sliding", "full"].map((type) => `${type}_attention`),
};
const read = (fields: object): DecoderConfig => {
  const configuration = configFields({ ...published, ...fields }, { name: "config.json", fn: "load" });
  return {
    ...readFields(gemma3nText.config(), configuration.withDefaults(gemma3nText.defaults!)),
    stopIds: [1],
  } as DecoderConfig;
};

test("reads rotary bases, hidden widths, activation sparsity and shared layers of published configurations", () => {
  expect(read({})).toMatchObject({
    ...{ hiddenDim: 24, ropeBase: 1e6, slidingRopeBase: 1e4, window: 8, attentionScale: 1, laurelRank: 3 },
    ...{ embeddingScale: 4, logitSoftcap: 30, placement: "both", qkNorm: true, valueNorm: true },
    sharedKeyValues: [0, 1, 2, 2, 1],
    layerOverrides: [
      { activationSparsity: 0.95 },
      { activationSparsity: 0.95 },
      undefined,
      { hiddenDim: 32 },
      undefined,
    ],
    altUp: { streams: 2, coefficientLimit: 120, outputScale: true },
    perLayerEmbedding: { dim: 4, vocabSize: 18 },
  });
  expect(read({ intermediate_size: 24, num_kv_shared_layers: 0, altup_coef_clip: null })).toMatchObject({
    hiddenDim: 24,
    altUp: { streams: 2, outputScale: true },
  });
  expect(read({ num_kv_shared_layers: 0 }).sharedKeyValues).toBeUndefined();
  // Without a list, the first ten of more than ten layers are sparse.
  const deep = read({
    ...{ num_hidden_layers: 12, layer_types: null, intermediate_size: 24, num_kv_shared_layers: 4 },
    activation_sparsity_pattern: null,
  });
  expect(
    deep.layerOverrides!.map((overrides) => overrides?.activationSparsity ?? 0).filter(Boolean),
  ).toHaveLength(10);
  expect(deep.sharedKeyValues!.slice(8)).toEqual([7, 4, 7, 7]);
});

test("errors name fields with invalid values", () => {
  expect(() => read({ num_kv_shared_layers: 5 })).toThrow(
    /num_kv_shared_layers` is 5, expected an integer below 5/,
  );
  expect(() => read({ num_kv_shared_layers: 4 })).toThrow(
    /num_kv_shared_layers` is 4, expected fewer layers/,
  );
  expect(() => read({ intermediate_size: [24] })).toThrow(/intermediate_size`.*a list of 5 numbers, whole/);
  expect(() => read({ activation_sparsity_pattern: [1, 0, 0, 0, 0] })).toThrow(
    /activation_sparsity_pattern`.*a list of 5 numbers, at least 0 and below 1/,
  );
});

test("unused key and value tensors of layers that share those of others are ignored", async () => {
  const config = read({});
  const model = { ...decoder(config), params: decoder(config).init(1), tokenizer: undefined };
  const { files, ...out } = memoryFolder();
  await exportModel(model, { to: "hf", out: { ...out } });
  expect(() => gemma3nText.tensors(config, true)).not.toThrow();
  const ignoredTensors = gemma3nText.ignoredTensors as (config: DecoderConfig) => RegExp;
  const names = (i: number) =>
    ["k_proj", "v_proj", "k_norm"].map((name) => `model.layers.${i}.self_attn.${name}.weight`);
  for (const name of [...names(3), ...names(4)]) expect(ignoredTensors(config).test(name)).toBe(true);
  for (const name of [
    ...names(2),
    "model.layers.3.self_attn.q_proj.weight",
    "model.layers.13.self_attn.k_proj.weight",
  ])
    expect(ignoredTensors(config).test(name)).toBe(false);
  const loaded = await load(files);
  const ids = [3, 19, 4, 1, 5];
  expect(loaded.apply(loaded.params, ids).data).toEqual(model.apply(model.params, ids).data);
});

import { expect, test } from "vitest";
import type { DecoderConfig } from "../models/decoder-config.js";
import { readFields, writeFields } from "./config-entry.js";
import { configFields } from "./config-fields.js";
import { gemma4Text } from "./gemma4-text.js";

const published = {
  ...{ vocab_size: 20, hidden_size: 16, num_hidden_layers: 6, intermediate_size: 24, head_dim: 4 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64, sliding_window: 8 },
  ...{ hidden_size_per_layer_input: 4, vocab_size_per_layer_input: 20 },
};
const read = (fields: object): DecoderConfig => {
  const configuration = configFields({ ...published, ...fields }, { name: "config.json", fn: "load" });
  const complete = configuration.withDefaults(gemma4Text.defaults!);
  return { ...readFields(gemma4Text.config(), complete), stopIds: [1] } as DecoderConfig;
};

test("the head dimension of full layers is read from global_head_dim or per_layer_config", () => {
  const large = { headDim: 8 };
  const byType = read({ global_head_dim: 8, num_kv_shared_layers: 0 });
  expect(byType.layerTypes).toEqual([...new Array<string>(5).fill("sliding"), "full"]);
  expect(byType.layerOverrides).toEqual([...new Array<undefined>(5), large]);
  expect(read({}).layerOverrides!.at(-1)).toEqual({ headDim: 512 });
  const layer_types = ["sliding", "full", "sliding", "full", "sliding", "full"].map(
    (type) => `${type}_attention`,
  );
  const fromList = read({
    layer_types,
    per_layer_config: { 1: { head_dim: 8 }, 3: { head_dim: 4, num_key_value_heads: 1 } },
  });
  expect(fromList.layerOverrides).toEqual([
    undefined,
    large,
    undefined,
    { numKvHeads: 1 },
    undefined,
    undefined,
  ]);
  const written = writeFields(gemma4Text.config(), fromList);
  expect(written["per_layer_config"]).toEqual({ 1: { head_dim: 8 }, 3: { num_key_value_heads: 1 } });
  expect(read({ ...written, layer_types })).toEqual(fromList);
});

test("layers that share keys and values have a double-wide MLP, and full layers have proportional RoPE", () => {
  const layer_types = ["sliding", "full", "sliding", "full", "sliding", "full"].map(
    (type) => `${type}_attention`,
  );
  const config = read({
    layer_types,
    num_kv_shared_layers: 2,
    use_double_wide_mlp: true,
    per_layer_config: {},
  });
  expect(config.sharedKeyValues).toEqual([0, 1, 2, 3, 2, 3]);
  expect(config.layerOverrides).toEqual([...new Array<undefined>(4), { hiddenDim: 48 }, { hiddenDim: 48 }]);
  expect(config).toMatchObject({
    ...{ ropeBase: 1e6, slidingRopeBase: 1e4, ropeScaling: { type: "proportional", share: 0.25 } },
    ...{ layerScale: true, valueNorm: true, perLayerEmbedding: { dim: 4 } },
  });
  expect("perLayerEmbedding" in read({ hidden_size_per_layer_input: 0 })).toBe(false);
});

test("errors name unsupported fields", () => {
  const reading = (fields: object) => () => read(fields);
  expect(reading({ attention_k_eq_v: true })).toThrow(/attention_k_eq_v` is true, expected false/);
  expect(reading({ enable_moe_block: true })).toThrow(/enable_moe_block` is true, expected false/);
  expect(reading({ use_bidirectional_attention: "all" })).toThrow(/use_bidirectional_attention` is "all"/);
  expect(reading({ use_bidirectional_attention: "vision" })).not.toThrow();
  const layer_types = new Array<string>(6).fill("sliding_attention");
  expect(reading({ layer_types })).toThrow(/layer_types`.*expected full_attention at the end/);
  const rope_parameters = { full_attention: { rope_type: "proportional", partial_rotary_factor: 2 } };
  expect(reading({ rope_parameters })).toThrow(/partial_rotary_factor` is 2, expected a share/);
});

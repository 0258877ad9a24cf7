import { expect, test } from "vitest";
import type { DecoderConfig } from "../models/decoder-config.js";
import { readFields, writeFields } from "./config-entry.js";
import { configFields } from "./config-fields.js";
import { gemma4Text } from "./gemma4-text.js";

const given = {
  ...{ vocab_size: 20, hidden_size: 16, num_hidden_layers: 6, intermediate_size: 24, head_dim: 4 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64, sliding_window: 8 },
  ...{ hidden_size_per_layer_input: 4, vocab_size_per_layer_input: 20 },
};
const read = (fields: object): DecoderConfig => {
  const all = configFields({ ...given, ...fields }, { name: "config.json", fn: "load" });
  const whole = all.withDefaults(gemma4Text.defaults!);
  return { ...readFields(gemma4Text.config(), whole), stopIds: [1] } as DecoderConfig;
};

test("full layers have heads of their own, by one size or layer by layer", () => {
  const large = { headDim: 8 };
  const byType = read({ global_head_dim: 8, num_kv_shared_layers: 0 });
  expect(byType.layerTypes).toEqual([...new Array<string>(5).fill("sliding"), "full"]);
  expect(byType.layerOverrides).toEqual([...new Array<undefined>(5), large]);
  expect(read({}).layerOverrides!.at(-1)).toEqual({ headDim: 512 });
  const layer_types = ["sliding", "full", "sliding", "full", "sliding", "full"].map(
    (type) => `${type}_attention`,
  );
  const listed = read({
    layer_types,
    per_layer_config: { 1: { head_dim: 8 }, 3: { head_dim: 4, num_key_value_heads: 1 } },
  });
  expect(listed.layerOverrides).toEqual([
    undefined,
    large,
    undefined,
    { numKvHeads: 1 },
    undefined,
    undefined,
  ]);
  const written = writeFields(gemma4Text.config(), listed);
  expect(written["per_layer_config"]).toEqual({ 1: { head_dim: 8 }, 3: { num_key_value_heads: 1 } });
  expect(read({ ...written, layer_types })).toEqual(listed);
});

test("layers that share may be twice as wide, and few pairs of full layers rotate", () => {
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

test("what is not computed is refused by its name", () => {
  const refused = (fields: object) => () => read(fields);
  expect(refused({ attention_k_eq_v: true })).toThrow(/attention_k_eq_v` is true, expected false/);
  expect(refused({ enable_moe_block: true })).toThrow(/enable_moe_block` is true, expected false/);
  expect(refused({ use_bidirectional_attention: "all" })).toThrow(/use_bidirectional_attention` is "all"/);
  expect(refused({ use_bidirectional_attention: "vision" })).not.toThrow();
  const layer_types = new Array<string>(6).fill("sliding_attention");
  expect(refused({ layer_types })).toThrow(/layer_types`.*expected full_attention at the end/);
  const rope_parameters = { full_attention: { rope_type: "proportional", partial_rotary_factor: 2 } };
  expect(refused({ rope_parameters })).toThrow(/partial_rotary_factor` is 2, expected a share/);
});

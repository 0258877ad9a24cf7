import { expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import { decoder } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { readFields } from "./config-entry.js";
import { configFields } from "./config-fields.js";
import { qwen35Moe } from "./qwen3-5-moe.js";
import { writeStored } from "./stored-tensor.js";

// The parts of this architecture are those of Qwen 3.5 and Qwen3-Next, which conformance compares to transformers (conformance/data/hf).

const fields = {
  ...{
    vocab_size: 20,
    hidden_size: 16,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
  },
  ...{ head_dim: 8, max_position_embeddings: 64, rms_norm_eps: 1e-6, moe_intermediate_size: 6 },
  ...{ num_experts: 5, num_experts_per_tok: 2, shared_expert_intermediate_size: 10 },
  ...{ linear_num_value_heads: 4, linear_num_key_heads: 2, linear_key_head_dim: 4, linear_value_head_dim: 6 },
  rope_parameters: {
    ...{ rope_type: "default", rope_theta: 1e7, partial_rotary_factor: 0.25, mrope_section: [1, 1, 0] },
    mrope_interleaved: true,
  },
};

function readConfig(): DecoderConfig {
  const configuration = configFields(fields, { name: "config.json", fn: "load" });
  const config = {
    ...readFields(qwen35Moe.config(), configuration),
    stopIds: [],
  } as unknown as DecoderConfig;
  configuration.finish(new Set(qwen35Moe.ignored!.split(" ")));
  return config;
}

test("published fields are read, and the experts of a layer are written as two tensors", () => {
  const config = readConfig();
  expect(config).toMatchObject({
    ...{ hiddenDim: 6, ropeDim: 2, ropeBase: 1e7, qkNorm: true, attentionGate: "elementwise" },
    experts: { numExperts: 5, expertsPerToken: 2, shared: { hiddenDim: 10, gated: true } },
  });
  expect(config.layerTypes?.map((type) => typeof type)).toEqual(["object", "object", "object", "string"]);
  const shapes = Object.fromEntries(
    writeStored(qwen35Moe.tensors(config, true), decoder(config).init(1)).map(({ name, shape }) => [
      name,
      shape,
    ]),
  );
  expect(shapes).toMatchObject({
    "model.layers.0.mlp.experts.gate_up_proj": [5, 12, 16],
    "model.layers.3.mlp.experts.down_proj": [5, 16, 6],
    "model.layers.1.mlp.shared_expert_gate.weight": [1, 16],
    "model.layers.1.linear_attn.in_proj_qkv.weight": [40, 16],
  });
});

test("an exported model is loaded with the same logits", async () => {
  const config = readConfig();
  const params = decoder(config).init(1);
  const { files, ...out } = memoryFolder();
  await exportModel({ config: config, params }, { to: "hf", out });
  const json = await files.find(({ name }) => name === "config.json")!.text();
  expect(JSON.parse(json)).toHaveProperty("model_type", "qwen3_5_moe_text");
  const loaded = await load(files);
  const ids = [3, 1, 4, 1, 5, 9];
  expect(loaded.apply(loaded.params, ids).data).toEqual(decoder(config).apply(params, ids).data);
});

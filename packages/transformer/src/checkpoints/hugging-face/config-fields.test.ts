/// <reference types="node" />
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ownData, referenceData } from "../../../../../conformance/reference-data.mjs";
import { zeros } from "@qkv/tensor";
import type { Weights } from "../../loading/weights.js";
import { readCheckpoint } from "./read-checkpoint.js";

type Config = Record<string, unknown>;

/** Configurations of published models, and of adapters and sentence encoders. */
const published = JSON.parse(
  readFileSync(new URL("../../../../test-support/data/hugging-face-configs.json", import.meta.url), "utf8"),
) as Record<string, Config>;

const types: unknown[] = [
  ..."bert roberta xlm-roberta gpt2 gpt_bigcode llama mistral mixtral qwen2 qwen3 qwen3_moe".split(" "),
  ..."gemma gemma2 gemma3_text gemma3 phi3".split(" "),
  ..."apertus blt deepseek_v3 diffllama gpt_oss llama4_text minicpm3".split(" "),
  ..."falcon_h1 granitemoehybrid lfm2 mamba mamba2 minimax nemotron_h qwen3_5_text qwen3_next rwkv7".split(
    " ",
  ),
  ..."arcee bloom cohere2 ernie4_5 exaone4 falcon glm4 gpt_neox granite olmo2 olmo3 opt smollm3 starcoder2".split(
    " ",
  ),
];

/** Configurations of the reference data that transformers saved, of the architectures above. */
const written = referenceData
  .files("hf")
  .filter((name) => /\/config(\.v4)?\.json$/.test(name))
  .map((name): [string, Config] => [name, referenceData.json(name)])
  .filter(([, config]) => types.includes(config["model_type"]));
const known = { ...Object.fromEntries(written), ...published };

const accepted = new Error("the configuration is accepted, and a tensor is requested");
const file = { name: "config.json", fn: "load" };
const weights = {
  name: "weights",
  fn: "load",
  has: () => false,
  shape: () => undefined,
  tensor: () => Promise.reject(accepted),
  table: () => Promise.reject(accepted),
} as unknown as Weights;

/** The error of reading a configuration; undefined if it is accepted. */
async function refusal(config: Config): Promise<string | undefined> {
  const error: unknown = await readCheckpoint(config, file, weights).catch((error: unknown) => error);
  return error === accepted ? undefined : String(error);
}

test.each(Object.entries(known))("%s is accepted: all of its fields are known", async (_, config) => {
  expect(await refusal(config)).toBeUndefined();
});

test("each architecture has a configuration", () => {
  const knownTypes = new Set(Object.values(known).map((config) => config["model_type"]));
  expect([...knownTypes].sort()).toEqual(types.sort());
});

/** One configuration per architecture. */
const onePerType = Object.values(known).filter(
  (config, i, configs) =>
    configs.findLastIndex((other) => other["model_type"] === config["model_type"]) === i,
);

test.each(onePerType)(
  "property: an error names a field that is unknown in $model_type, unless it is null",
  async (config) => {
    const name = fc.stringMatching(/^[a-z]{3,9}_[a-z]{3,9}_[a-z]{3,9}x$/);
    const value = fc.oneof(fc.double({ noNaN: true }), fc.boolean(), fc.constant("on"), fc.constant([1]));
    await fc.assert(
      fc.asyncProperty(name, value, async (name, value) => {
        expect(await refusal({ ...config, [name]: value })).toContain(`\`config.json: ${name}\``);
        expect(await refusal({ ...config, [name]: null })).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  },
);

test.each([
  ["llama", { residual_multiplier: 0.22 }], // Granite
  ["llama", { use_bidirectional_attention: true }],
  ["llama", { sliding_window: 512 }],
  ["llama", { rope_condense_ratio: 4 }], // LongChat
  ["llama", { auto_map: { AutoModel: "modeling_own.Own" } }],
  ["llama", { quantization_config: { quant_method: "gptq" } }],
  ["llama", { layer_types: ["sliding_attention", "full_attention"] }],
  ["llama", { rope_interleaved: true }],
  ["llama", { pruned_heads: { 1: [0] } }],
  ["llama", { attn_logit_softcapping: 30 }],
  ["llama", { is_encoder_decoder: true }],
  ["llama", { rope_parameters: { rope_type: "yarn", factor: 2, mystery: 1 } }],
  ["gemma", { query_pre_attn_scalar: 256 }],
  ["gemma", { use_bidirectional_attention: true }],
  ["gemma2", { hidden_act: "relu" }],
  ["gemma3_text", { use_bidirectional_attention: "all" }],
  ["gemma3_text", { rope_local_base_freq: 0 }],
  ["mistral", { use_sliding_window: false }],
  ["qwen2", { auto_map: { AutoModel: "modeling_qwen.Qwen2Model" } }], // gte-Qwen2, whose own code is bidirectional
  ["qwen2", { is_causal: false }],
  ["qwen3", { layer_types: ["sliding_attention", "full_attention"] }],
  ["mixtral", { norm_topk_prob: false }],
  ["bert", { position_embedding_type: "relative_key" }],
  ["bert", { is_decoder: true }],
  ["roberta", { pad_token_id: -3 }],
  ["gpt2", { scale_attn_by_inverse_layer_idx: true }],
])("an unsupported field of %s that changes the result is refused: %j", async (type, change) => {
  const config = Object.values(known).find(({ model_type }) => model_type === type)!;
  const { rope_parameters, ...others } = config;
  const [name] = Object.keys(change);
  const base =
    name === "rope_parameters" ? others : { ...others, ...(rope_parameters ? { rope_parameters } : {}) };
  expect(await refusal({ ...base, ...change })).toContain(`config.json: ${name}`);
});

const positive: Readonly<Record<string, readonly string[]>> = {
  llama: ["rms_norm_eps", "rope_theta"],
  gemma2: ["rms_norm_eps", "query_pre_attn_scalar", "attn_logit_softcapping", "final_logit_softcapping"],
  gpt2: ["layer_norm_epsilon"],
  bert: ["layer_norm_eps"],
};
test.each(Object.entries(positive))(
  "fields of %s that must be positive are refused for other values",
  async (type, names) => {
    const { rope_parameters: _, ...config } = Object.values(known).find(
      ({ model_type }) => model_type === type,
    )!;
    for (const name of names) {
      for (const value of [-1, 0, "1e-5", true]) {
        expect(await refusal({ ...config, [name]: value })).toMatch(
          new RegExp(`config.json: ${name}. is .*, expected a finite number`),
        );
      }
    }
  },
);

test("errors tell values that are not implemented from damaged fields and from unknown ones", async () => {
  const config = {
    ...{
      model_type: "stablelm",
      vocab_size: 11,
      hidden_size: 8,
      intermediate_size: 12,
      num_hidden_layers: 2,
    },
    ...{ num_attention_heads: 2, max_position_embeddings: 32, eos_token_id: 2 },
  };
  expect(await refusal(config)).toBeUndefined();
  expect(await refusal({ ...config, qk_layernorm: true })).toBe(
    "FormatError: load: `config.json: qk_layernorm` is true, expected false.\n" +
      "Fix: qkv does not implement `qk_layernorm: true` for stablelm. Choose a model with a supported value.",
  );
  for (const damaged of [{ qk_layernorm: "yes" }, { hidden_size: -1 }]) {
    expect(await refusal({ ...config, ...damaged })).toMatch(
      /\nFix: correct the field, or download config\.json again: a part of it is missing, damaged or contradictory\.$/,
    );
  }
  expect(await refusal({ ...config, new_norm: 3 })).toBe(
    "FormatError: load: `config.json: new_norm` is 3, expected no such field.\n" +
      "Fix: qkv does not know the field `new_norm` for stablelm. If the model computes the same without it, " +
      "remove it from a copy of the file; otherwise, qkv does not implement this variant.",
  );
});

test("kinds of attention and heads that an architecture does not have are not implemented, and incomplete lists are damaged", async () => {
  const neo = {
    ...{ model_type: "gpt_neo", vocab_size: 11, hidden_size: 8, num_layers: 2, num_heads: 2 },
    ...{ max_position_embeddings: 32, window_size: 4, eos_token_id: 2 },
  };
  const kinds = (...names: unknown[]) => refusal({ ...neo, attention_types: [[names, 1]] });
  expect(await kinds("global", "local")).toBeUndefined();
  expect(await kinds("global", "sparse")).toMatch(
    /attention_types` is .*, expected kinds global and local of 2 layers: .*\nFix: qkv does not implement `attention_types: .*` for gpt_neo\./,
  );
  for (const damaged of [["global"], ["global", 1]]) {
    expect(await kinds(...damaged)).toMatch(/kinds global and local of 2 layers: .*\nFix: correct the field/);
  }
  const nomic = ownData.json("hf/nomic-bert/config.json") as Config;
  expect(await refusal({ ...nomic, architectures: ["NomicBertForSequenceClassification"] })).toMatch(
    /architectures` is \["NomicBertForSequenceClassification"\], .*\nFix: qkv does not implement `architectures: .*` for nomic_bert\./,
  );
});

test("the older and the newer fields of RoPE must not contradict each other", async () => {
  const config = known["published: Llama 3.1"]!;
  const { rope_theta: _, ...newer } = config;
  const rope_parameters = { ...(config["rope_scaling"] as Config), rope_theta: 5e5 };
  expect(await refusal({ ...newer, rope_scaling: null, rope_parameters })).toBeUndefined();
  expect(await refusal({ ...config, rope_scaling: null, rope_parameters })).toBeUndefined();
  const otherBase = { ...rope_parameters, rope_theta: 1e4 };
  expect(await refusal({ ...config, rope_scaling: null, rope_parameters: otherBase })).toMatch(
    /rope_parameters: rope_theta` is 10000, expected 500000, as other fields say/,
  );
  const longer = { original_max_position_embeddings: 4096 };
  expect(await refusal({ ...config, ...longer })).toMatch(/original_max_position_embeddings` is 8192/);
});

test("a masked-token head that is not tied to the embedding is refused", async () => {
  const config = { ...known["hf/bert-mlm/config.json"]!, tie_word_embeddings: false };
  const completeWeights = {
    ...weights,
    has: () => true,
    tensor: () => Promise.resolve(zeros([50, 1])),
    table: () => Promise.resolve(zeros([50, 1])),
    linear: () => Promise.resolve({ weight: zeros([1]) }),
    norm: () => Promise.resolve({ weight: zeros([1]) }),
    finish: () => undefined,
  } as unknown as Weights;
  await expect(readCheckpoint(config, file, completeWeights)).rejects.toThrow(
    /`config.json: tie_word_embeddings` is false/,
  );
});

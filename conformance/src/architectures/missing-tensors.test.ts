import type { Tensor } from "@qkv/tensor";
import { randn } from "@qkv/tensor";
import { load, loadEncoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import { writeCheckpoint } from "./random-checkpoint.js";

type Shapes = Record<string, number[]>;

const [V, C, F, H] = [7, 8, 12, 2];
const prefixed = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
/** A linear map with a bias, a norm with a bias. */
const map = (name: string, out: number, inner: number): Shapes => ({
  [`${name}.weight`]: [out, inner],
  [`${name}.bias`]: [out],
});
const norm = (name: string): Shapes => ({ [`${name}.weight`]: [C], [`${name}.bias`]: [C] });

const llama: Shapes = {
  "model.embed_tokens.weight": [V, C],
  ...prefixed("model.layers.0.", {
    "input_layernorm.weight": [C],
    "self_attn.q_proj.weight": [C, C],
    "self_attn.k_proj.weight": [C / H, C],
    "self_attn.v_proj.weight": [C / H, C],
    "self_attn.o_proj.weight": [C, C],
    "post_attention_layernorm.weight": [C],
    "mlp.gate_proj.weight": [F, C],
    "mlp.up_proj.weight": [F, C],
    "mlp.down_proj.weight": [C, F],
  }),
  "model.norm.weight": [C],
  "lm_head.weight": [V, C],
};
const biases = (...names: [string, number][]): Shapes =>
  Object.fromEntries(names.map(([name, out]) => [`model.layers.0.${name}.bias`, [out]]));
const queryKeyValue = biases(
  ["self_attn.q_proj", C],
  ["self_attn.k_proj", C / H],
  ["self_attn.v_proj", C / H],
);
const rest = biases(["self_attn.o_proj", C], ["mlp.gate_proj", F], ["mlp.up_proj", F], ["mlp.down_proj", C]);
const llamaConfig = {
  vocab_size: V,
  hidden_size: C,
  intermediate_size: F,
  num_hidden_layers: 1,
  num_attention_heads: H,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
};

const gpt2: Shapes = prefixed("transformer.", {
  "wte.weight": [V, C],
  "wpe.weight": [16, C],
  ...prefixed("h.0.", {
    ...norm("ln_1"),
    ...norm("ln_2"),
    "attn.c_attn.weight": [C, 3 * C],
    "attn.c_attn.bias": [3 * C],
    "attn.c_proj.weight": [C, C],
    "attn.c_proj.bias": [C],
    "mlp.c_fc.weight": [C, 4 * C],
    "mlp.c_fc.bias": [4 * C],
    "mlp.c_proj.weight": [4 * C, C],
    "mlp.c_proj.bias": [C],
  }),
  ...norm("ln_f"),
});

const { num_key_value_heads: _, ...encoderConfig } = llamaConfig;
const bert: Shapes = {
  ...prefixed("bert.embeddings.", {
    "word_embeddings.weight": [V, C],
    "position_embeddings.weight": [16, C],
    "token_type_embeddings.weight": [2, C],
    ...norm("LayerNorm"),
  }),
  ...prefixed("bert.encoder.layer.0.", {
    ...map("attention.self.query", C, C),
    ...map("attention.self.key", C, C),
    ...map("attention.self.value", C, C),
    ...map("attention.output.dense", C, C),
    ...norm("attention.output.LayerNorm"),
    ...map("intermediate.dense", F, C),
    ...map("output.dense", C, F),
    ...norm("output.LayerNorm"),
  }),
  ...prefixed("cls.predictions.", {
    ...map("transform.dense", C, C),
    ...norm("transform.LayerNorm"),
    bias: [V],
  }),
};

test.each<[string, Shapes, Record<string, unknown>]>([
  ["llama", llama, llamaConfig],
  [
    "llama",
    { ...llama, ...queryKeyValue, ...rest },
    { ...llamaConfig, attention_bias: true, mlp_bias: true },
  ],
  ["qwen2", { ...llama, ...queryKeyValue }, llamaConfig],
  ["gpt2", gpt2, { vocab_size: V, n_embd: C, n_layer: 1, n_head: H, n_positions: 16 }],
  ["bert", bert, { ...encoderConfig, type_vocab_size: 2 }],
])("%s: whichever tensor is missing, the error names it", async (type, shapes, sizes) => {
  const config = { ...sizes, model_type: type };
  const open = type === "bert" ? loadEncoder : load;
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, randn(shape, { seed: i })]),
  );
  await open(await writeCheckpoint(config, tensors));
  for (const name of Object.keys(tensors)) {
    const { [name]: _, ...others } = tensors as Record<string, Tensor>;
    const error = await open(await writeCheckpoint(config, others)).catch((error: unknown) => error);
    // Without the head's first matrix there is no head, and the remaining tensors of it are unused.
    const named = name.startsWith("cls.predictions.transform.dense.weight") ? "cls.predictions" : name;
    // The embedding determines the prefix of names. Without it, the most common prefix is assumed.
    const tail = named.replace(/^(bert|transformer|model)\./, "");
    expect(String(error), name).toMatch(/^FormatError: load(Encoder)?: /);
    expect(String(error)).toContain(tail);
  }
});

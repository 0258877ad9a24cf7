/** Tensor names in GGUF files, without the prefix `blk.N.`, and their names in checkpoints of Hugging Face. */
export type GgufNames = {
  readonly model: Readonly<Record<string, string>>;
  readonly layer: Readonly<Record<string, string>>;
  /** Names of expert tensors, with `#` for the index of the expert. */
  readonly expert?: Readonly<Record<string, string>>;
  /** Prefix of layers in checkpoints of Hugging Face, before the layer index. */
  readonly path: string;
};

const llamaNames: GgufNames = {
  path: "model.layers",
  model: {
    token_embd: "model.embed_tokens",
    output_norm: "model.norm",
    output: "lm_head",
  },
  layer: {
    attn_norm: "input_layernorm",
    attn_q: "self_attn.q_proj",
    attn_k: "self_attn.k_proj",
    attn_v: "self_attn.v_proj",
    attn_qkv: "self_attn.qkv_proj",
    attn_output: "self_attn.o_proj",
    attn_q_norm: "self_attn.q_norm",
    attn_k_norm: "self_attn.k_norm",
    ffn_norm: "post_attention_layernorm",
    ffn_gate: "mlp.gate_proj",
    ffn_up: "mlp.up_proj",
    ffn_down: "mlp.down_proj",
  },
};

/** Experts of Mixtral, whose GGUF architecture is `llama`, and of Qwen 3 MoE. */
const mixtralNames: GgufNames = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: { ...llamaNames.layer, ffn_gate_inp: "block_sparse_moe.gate" },
  expert: {
    ffn_gate: "block_sparse_moe.experts.#.w1",
    ffn_up: "block_sparse_moe.experts.#.w3",
    ffn_down: "block_sparse_moe.experts.#.w2",
  },
}))();

const qwenMixtureNames: GgufNames = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: { ...llamaNames.layer, ffn_gate_inp: "mlp.gate" },
  expert: {
    ffn_gate: "mlp.experts.#.gate_proj",
    ffn_up: "mlp.experts.#.up_proj",
    ffn_down: "mlp.experts.#.down_proj",
  },
}))();

const gemmaNames: GgufNames = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: {
    ...llamaNames.layer,
    post_attention_norm: "post_attention_layernorm",
    ffn_norm: "pre_feedforward_layernorm",
    post_ffw_norm: "post_feedforward_layernorm",
  },
}))();

const phi3Names: GgufNames = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: { ...llamaNames.layer, ffn_up: "mlp.gate_up_proj" },
}))();

const gpt2Names: GgufNames = {
  path: "transformer.h",
  model: {
    token_embd: "transformer.wte",
    position_embd: "transformer.wpe",
    output_norm: "transformer.ln_f",
    output: "lm_head",
  },
  layer: {
    attn_norm: "ln_1",
    attn_qkv: "attn.c_attn",
    attn_output: "attn.c_proj",
    ffn_norm: "ln_2",
    ffn_up: "mlp.c_fc",
    ffn_down: "mlp.c_proj",
  },
};

const bertNames: GgufNames = {
  path: "encoder.layer",
  model: {
    token_embd: "embeddings.word_embeddings",
    position_embd: "embeddings.position_embeddings",
    token_types: "embeddings.token_type_embeddings",
    token_embd_norm: "embeddings.LayerNorm",
  },
  layer: {
    attn_q: "attention.self.query",
    attn_k: "attention.self.key",
    attn_v: "attention.self.value",
    attn_output: "attention.output.dense",
    attn_output_norm: "attention.output.LayerNorm",
    ffn_up: "intermediate.dense",
    ffn_down: "output.dense",
    layer_output_norm: "output.LayerNorm",
  },
};

/** Architectures of GGUF files, with their `model_type` and tensor names in Hugging Face checkpoints. */
export const ggufArchitectures = {
  llama: { type: "llama", names: llamaNames },
  qwen2: { type: "qwen2", names: llamaNames },
  qwen3: { type: "qwen3", names: llamaNames },
  qwen3moe: { type: "qwen3_moe", names: qwenMixtureNames },
  gemma: { type: "gemma", names: llamaNames },
  gemma2: { type: "gemma2", names: gemmaNames },
  gemma3: { type: "gemma3_text", names: gemmaNames },
  phi3: { type: "phi3", names: phi3Names },
  gpt2: { type: "gpt2", names: gpt2Names },
  starcoder: { type: "gpt_bigcode", names: gpt2Names },
  bert: { type: "bert", names: bertNames },
} as const satisfies Readonly<Record<string, { type: string; names: GgufNames }>>;

/** A `llama` with experts is Mixtral in Hugging Face checkpoints. */
export const ggufMixtral = { type: "mixtral", names: mixtralNames } as const;

/** Converts a tensor name of a GGUF file to that of a Hugging Face checkpoint; undefined if there is none. */
export function fromGgufName(
  { model, layer, expert = {}, path }: GgufNames,
  name: string,
): string | undefined {
  const [, block, stem, kind] = /^(?:blk\.(\d+)\.)?(.*)\.(weight|bias)$/.exec(name) ?? [];
  if (stem === undefined) return undefined;
  const [, expertStem, expertIndex] = /^(\w+)\.(\d+)$/.exec(stem) ?? [];
  const inner = layer[stem] ?? (expertStem && expert[expertStem]?.replace("#", expertIndex!));
  const converted = block === undefined ? model[stem] : inner && `${path}.${block}.${inner}`;
  return converted && `${converted}.${kind}`;
}

/**
 * Converts a tensor name of a Hugging Face checkpoint to that of a GGUF file. The experts of a layer have the same name,
 * as GGUF stores them in one tensor.
 */
export function toGgufName({ model, layer, expert = {}, path }: GgufNames, name: string): string {
  const [, stem, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const findKey = (names: Readonly<Record<string, string>>, value: string) =>
    Object.keys(names).find((key) => names[key] === value);
  const modelStem = findKey(model, stem!);
  if (modelStem) return `${modelStem}.${kind}`;
  const [, block, inner] = /^\.(\d+)\.(.*)$/.exec(stem!.slice(path.length))!;
  const layerStem = findKey(layer, inner!);
  return layerStem
    ? `blk.${block}.${layerStem}.${kind}`
    : `blk.${block}.${findKey(expert, inner!.replace(/\.\d+\./, ".#."))}_exps.${kind}`;
}

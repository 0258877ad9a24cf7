import { FormatError, type GgufHeader, type GgufValue } from "@qkv/core";
import type { Weights } from "../../loading/weights.js";
import type { WeightFile } from "../../loading/weight-file.js";
import type { RopeScalingConfig } from "../../models/rope-of.js";
import type { Checkpoint } from "../hugging-face/family.js";
import { readCheckpoint } from "../hugging-face/read-checkpoint.js";

/** Names of GGUF files, without `blk.N.` in front, and what they are called in checkpoints of Hugging Face. */
type Names = {
  model: Readonly<Record<string, string>>;
  layer: Readonly<Record<string, string>>;
  /** Those of experts, by what stands before their number, which `#` stands for. */
  expert?: Readonly<Record<string, string>>;
  path: string;
};

const llamaNames: Names = {
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

/** Mixtral's, whose architecture is called llama there, and those of Qwen 3's mixtures. */
const mixtralNames: Names = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: { ...llamaNames.layer, ffn_gate_inp: "block_sparse_moe.gate" },
  expert: {
    ffn_gate: "block_sparse_moe.experts.#.w1",
    ffn_up: "block_sparse_moe.experts.#.w3",
    ffn_down: "block_sparse_moe.experts.#.w2",
  },
}))();

const qwenMixtureNames: Names = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: { ...llamaNames.layer, ffn_gate_inp: "mlp.gate" },
  expert: {
    ffn_gate: "mlp.experts.#.gate_proj",
    ffn_up: "mlp.experts.#.up_proj",
    ffn_down: "mlp.experts.#.down_proj",
  },
}))();

const gemmaNames: Names = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: {
    ...llamaNames.layer,
    post_attention_norm: "post_attention_layernorm",
    ffn_norm: "pre_feedforward_layernorm",
    post_ffw_norm: "post_feedforward_layernorm",
  },
}))();

const phi3Names: Names = /* @__PURE__ */ (() => ({
  ...llamaNames,
  layer: { ...llamaNames.layer, ffn_up: "mlp.gate_up_proj" },
}))();

const gpt2Names: Names = {
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

/** Architectures of GGUF files: what Hugging Face calls them, and how their tensors are named. */
const architectures: Readonly<Record<string, { type: string; names: Names }>> = {
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
};

/**
 * A model from a GGUF file: its metadata and names are told in those of Hugging Face.
 *
 * @param metadata - Of the file's header.
 * @param file - Its tensors.
 * @param place - Puts weights on a device.
 */
export async function readGguf(
  metadata: GgufHeader["metadata"],
  file: WeightFile,
  place: (file: WeightFile) => Weights,
): Promise<Checkpoint> {
  const source = file.name;
  const arch = metadata.get("general.architecture");
  const field = (name: string): GgufValue | undefined => metadata.get(`${String(arch)}.${name}`);
  const known =
    arch === "llama" && Number(field("expert_count") ?? 0) > 0
      ? { type: "mixtral", names: mixtralNames }
      : typeof arch === "string" && Object.hasOwn(architectures, arch)
        ? architectures[arch]
        : undefined;
  if (!known) {
    const expected = `a known architecture: ${Object.keys(architectures).join(", ")}`;
    throw bad(source, "general.architecture", arch, expected);
  }
  const renamed = rename(file, known.names);
  const json = configOf(known.type, field, metadata, renamed);
  const checkpoint = await readCheckpoint(json, source, place(renamed));
  if (checkpoint.kind === "encoder") return checkpoint;
  const factors = await ropeFactors(file, field);
  return {
    ...checkpoint,
    config: {
      ...checkpoint.config,
      // Llama's queries and keys are stored for pairs of neighbours.
      ...(arch === "llama" && { ropeLayout: "interleaved" as const }),
      ...(factors && { ropeScaling: factors }),
    },
  };
}

/** The file with names of Hugging Face; what has none, such as factors of rotary pairs, is left out. */
function rename(file: WeightFile, { model, layer, expert = {}, path }: Names): WeightFile {
  const names = new Map<string, string>();
  for (const name of file.names) {
    const [, block, stem, kind] = /^(?:blk\.(\d+)\.)?(.*)\.(weight|bias)$/.exec(name) ?? [];
    if (stem === undefined || /^rope_(freqs|factors)/.test(stem)) continue;
    const [, own, number] = /^(\w+)\.(\d+)$/.exec(stem) ?? [];
    const inner = layer[stem] ?? (own && expert[own]?.replace("#", number!));
    const ours = block === undefined ? model[stem] : inner && `${path}.${block}.${inner}`;
    names.set(ours === undefined ? name : `${ours}.${kind}`, name);
  }
  return {
    name: file.name,
    names: [...names.keys()],
    shape: (name) => file.shape(names.get(name) ?? ""),
    pieces: (name) => file.pieces(names.get(name)!),
  };
}

function configOf(
  type: string,
  field: (name: string) => GgufValue | undefined,
  metadata: GgufHeader["metadata"],
  file: WeightFile,
): Record<string, unknown> {
  const embedding = file.names.find((name) => /(embed_tokens|wte)\.weight$/.test(name));
  const scaling = field("rope.scaling.type");
  const [heads, width, headDim] = [
    field("attention.head_count"),
    field("embedding_length"),
    field("attention.key_length"),
  ];
  const turning = field("rope.dimension_count");
  const whole = headDim ?? Number(width) / Number(heads);
  const largest = type === "gemma2" ? 46 : 62; // the layers of the 27B models, which scale by width over heads
  return {
    model_type: type,
    gguf: true,
    vocab_size: embedding && file.shape(embedding)?.[0],
    hidden_size: width,
    intermediate_size: field("feed_forward_length"),
    moe_intermediate_size: field("expert_feed_forward_length"),
    num_local_experts: field("expert_count"),
    num_experts_per_tok: field("expert_used_count"),
    norm_topk_prob: true, // as the programs that run these files do
    n_inner: field("feed_forward_length"),
    num_hidden_layers: field("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: field("attention.head_count_kv"),
    multi_query: field("attention.head_count_kv") === 1,
    head_dim: headDim,
    max_position_embeddings: field("context_length"),
    rms_norm_eps: field("attention.layer_norm_rms_epsilon"),
    layer_norm_epsilon: field("attention.layer_norm_epsilon"),
    rope_theta: field("rope.freq_base"),
    ...(typeof turning === "number" &&
      turning !== whole && { partial_rotary_factor: turning / Number(whole) }),
    sliding_window: field("attention.sliding_window"),
    ...(type === "gemma3_text" && { sliding_window_pattern: 6 }),
    query_pre_attn_scalar:
      type.startsWith("gemma") && type !== "gemma"
        ? field("block_count") === largest
          ? Number(width) / Number(heads)
          : whole
        : undefined,
    attn_logit_softcapping: field("attn_logit_softcapping"),
    final_logit_softcapping: field("final_logit_softcapping"),
    ...((scaling === "linear" || scaling === "yarn") && {
      rope_scaling: {
        rope_type: scaling,
        factor: field("rope.scaling.factor"),
        original_max_position_embeddings: field("rope.scaling.original_context_length"),
      },
    }),
    tie_word_embeddings: !file.names.includes("lm_head.weight"),
    eos_token_id: metadata.get("tokenizer.ggml.eos_token_id"),
  };
}

/** Factors of rotary pairs, which files hold as tensors: Llama 3's for all lengths, Phi-3's for short and long texts. */
async function ropeFactors(
  file: WeightFile,
  field: (name: string) => GgufValue | undefined,
): Promise<RopeScalingConfig | undefined> {
  const numbers = async (name: string) => {
    if (!file.shape(name)) return undefined;
    const all: number[] = [];
    for await (const piece of file.pieces(name)) all.push(...piece);
    return all;
  };
  const one = await numbers("rope_freqs.weight");
  const short = one ?? (await numbers("rope_factors_short.weight"));
  const long = one ?? (await numbers("rope_factors_long.weight"));
  if (!short || !long) return undefined;
  const context = Number(field("context_length"));
  const originalLength = Number(field("rope.scaling.original_context_length") ?? context);
  const attentionFactor = one ? 1 : field("rope.scaling.attn_factor");
  return {
    type: "longrope",
    shortFactors: short,
    longFactors: long,
    originalLength,
    factor: Math.max(1, context / originalLength),
    ...(typeof attentionFactor === "number" && { attentionFactor }),
  };
}

function bad(source: string, fieldName: string, received: unknown, expected: string): FormatError {
  return new FormatError({
    fn: "load",
    argument: `${source}: ${fieldName}`,
    received,
    expected,
    fix: "choose a model of one of these architectures.",
  });
}

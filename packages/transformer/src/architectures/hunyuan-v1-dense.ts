import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, headDim, rope, trait, requireValue, type ConfigEntry } from "./config-entry.js";
import { attentionProjections, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { norm, type StoredTensor } from "./stored-tensor.js";

/** RoPE scaling with `alpha` (NTK-aware): it changes the rotary base, independent of length. */
const scaledBase: ConfigEntry = {
  read(fields, config) {
    const scaling = fields.nested("rope_parameters") ?? fields.nested("rope_scaling");
    const alpha = scaling?.positiveOr(undefined, "alpha");
    if (!scaling || alpha === undefined) return rope().read(fields, config);
    const type = scaling.has("rope_type") ? "rope_type" : "type";
    if (scaling.text(type) !== "dynamic") return scaling.unsupported(type, "dynamic, as there is an alpha");
    scaling.mustBe("type", "dynamic");
    // Fields of other scaling types, which this type does not use.
    for (const name of ["factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow"]) scaling.has(name);
    const D = headDim(config);
    const base = scaling.positiveOr(undefined, "rope_theta") ?? fields.positive("rope_theta", 10000);
    return { ropeBase: base * alpha ** (D / (D - 2)) };
  },
  write: (config) => rope().write(config),
};

/** Attention projections, and norms of queries and keys, which have names of their own. */
export const hunyuanAttention = (config: DecoderConfig): StoredTensor[] => [
  ...attentionProjections({ ...config, qkNorm: false }),
  norm("attention.queryNorm", "self_attn.query_layernorm", headDim(config)),
  norm("attention.keyNorm", "self_attn.key_layernorm", headDim(config)),
];

/** Hunyuan dense models: Llama with norms of queries and keys after RoPE. */
export const hunyuanV1Dense: Architecture = {
  modelTypes: ["hunyuan_v1_dense"],
  class: "HunYuanDenseV1ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    scaledBase,
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    requireValue("mlp_bias", false),
    requireValue("use_qk_norm", true),
    requireValue("use_cla", false),
    trait({ qkNorm: true, qkNormPlace: "afterRope" }),
  ],
  gguf: () => [
    gguf("hunyuan-dense", { freeHeads: true, traits: { qkNorm: true, qkNormPlace: "afterRope" } }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { attention: hunyuanAttention }),
  ignored: "attention_head_dim cla_share_factor org_vocab_size norm_type",
};

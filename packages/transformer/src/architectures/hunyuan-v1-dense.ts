import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, headDim, rope, trait, without, type ConfigEntry } from "./config-entry.js";
import { attentionMaps, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { norm, type StoredTensor } from "./stored-tensor.js";

/** A scaling by `alpha` is another base: the same at every length. */
const scaledBase: ConfigEntry = {
  read(fields, config) {
    const scaling = fields.nested("rope_parameters") ?? fields.nested("rope_scaling");
    const alpha = scaling?.positiveOr(undefined, "alpha");
    if (!scaling || alpha === undefined) return rope().read(fields, config);
    const type = scaling.has("rope_type") ? "rope_type" : "type";
    if (scaling.text(type) !== "dynamic") return scaling.refuse(type, "dynamic, as there is an alpha");
    scaling.mustBe("type", "dynamic");
    // Of other scalings, which this one does not read.
    for (const name of ["factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow"]) scaling.has(name);
    const D = headDim(config);
    const base = scaling.positiveOr(undefined, "rope_theta") ?? fields.positive("rope_theta", 10000);
    return { ropeBase: base * alpha ** (D / (D - 2)) };
  },
  write: (config) => rope().write(config),
};

/** Maps of attention, and norms of queries and keys under names of their own. */
export const hunyuanAttention = (config: DecoderConfig): StoredTensor[] => [
  ...attentionMaps({ ...config, qkNorm: false }),
  norm("attention.queryNorm", "self_attn.query_layernorm", headDim(config)),
  norm("attention.keyNorm", "self_attn.key_layernorm", headDim(config)),
];

/** Hunyuan's dense models: Llama with norms of queries and keys after the rotation. */
export const hunyuanV1Dense: Architecture = {
  modelTypes: ["hunyuan_v1_dense"],
  class: "HunYuanDenseV1ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    scaledBase,
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    without("mlp_bias"),
    without("use_qk_norm", true),
    without("use_cla"),
    trait({ qkNorm: true, qkNormPlace: "afterRope" }),
  ],
  gguf: () => [
    gguf("hunyuan-dense", { freeHeads: true, traits: { qkNorm: true, qkNormPlace: "afterRope" } }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { attention: hunyuanAttention }),
  ignored: "attention_head_dim cla_share_factor org_vocab_size norm_type",
};

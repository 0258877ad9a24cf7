import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  activation,
  bias,
  partialRope,
  positive,
  rope,
  trait,
  requireValue,
  type ConfigEntry,
} from "./config-entry.js";
import { llamaSizes, llamaTensors, preNorms } from "./llama-parts.js";

/** `use_parallel_residual`: attention and MLP in parallel with one norm; else sequential. */
const parallelResidual: ConfigEntry = {
  read: (fields) => (fields.flag("use_parallel_residual", false) ? { placement: "parallelShared" } : {}),
  write: ({ placement }) => ({ use_parallel_residual: placement === "parallelShared" }),
};

/** StableLM: Llama with layer norms and RoPE on a quarter of each head. */
export const stablelm: Architecture = {
  modelTypes: ["stablelm"],
  class: "StableLmForCausalLM",
  config: () => [
    ...llamaSizes(),
    positive("normEps", "layer_norm_eps", 1e-5),
    activation(),
    rope(),
    partialRope("partial_rotary_factor", 0.25),
    bias("use_qkv_bias", ["queryKeyValue"]),
    parallelResidual,
    requireValue("qk_layernorm", false),
    trait({ norm: "layer" }),
  ],
  gguf: () => [
    gguf("stablelm", {
      partialRotary: true,
      traits: { norm: "layer" },
      biases: { norms: true, queryKeyValue: "either" },
      output: "separate",
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      norms: config.placement === "parallelShared" ? { attentionNorm: "input_layernorm" } : preNorms,
    }),
  ignored: "hidden_dropout",
};

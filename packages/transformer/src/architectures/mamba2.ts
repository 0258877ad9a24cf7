import type { Architecture } from "./architecture.js";
import { requireValue } from "./config-entry.js";
import { ggufMamba2Tensors, mamba2Keys } from "./gguf/gguf-mamba2.js";
import { ggufMixerStack } from "./gguf/gguf-mixer-stack.js";
import { mamba2Fields, mamba2Layer, mamba2Tensors, type Mamba2Names } from "./mamba2-parts.js";
import { mixerConfig } from "./mixed-layers.js";
import { mambaIgnored, mixerStack, mixerStackTensors } from "./mixer-stack.js";

const names: Mamba2Names = {
  heads: "num_heads",
  headDim: "head_dim",
  state: "state_size",
  groups: "n_groups",
  taps: "conv_kernel",
  convolutionBias: "use_conv_bias",
  bias: "use_bias",
};

/** Mamba-2: each layer is a state space duality mixer only. */
export const mamba2: Architecture = {
  modelTypes: ["mamba2"],
  class: "Mamba2ForCausalLM",
  config: () => [
    ...mixerStack(
      (fields, { embedDim = 1, normEps = 1e-5 }) =>
        mamba2Layer(fields, names, { embedDim, normEps, outputNorm: "whole" }),
      (config) => mamba2Fields(mixerConfig(config), names),
    ),
    requireValue("hidden_act", "silu"),
    requireValue("rms_norm", true),
    requireValue("norm_before_gate", false),
  ],
  gguf: () => [ggufMixerStack("mamba2", mamba2Keys(), (mixer) => ggufMamba2Tensors(mixer))],
  tensors: (config, tied) =>
    mixerStackTensors(config, tied, (mixer) => mamba2Tensors(mixer, ["attention", "mixer"])),
  ignored: mambaIgnored,
};

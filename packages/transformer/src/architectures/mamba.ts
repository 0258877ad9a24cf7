import type { Architecture } from "./architecture.js";
import { without } from "./config-entry.js";
import { mambaFields, mambaLayer, mambaNames, mambaTensors } from "./mamba-parts.js";
import { mixerOf } from "./mixed-layers.js";
import { mixerStack, mixerStackTensors } from "./mixer-stack.js";

/** Fields of how a stack of Mamba began, and of kernels. */
export const mambaIgnoredFields =
  "residual_in_fp32 rescale_prenorm_residual time_step_min time_step_max time_step_floor time_step_scale time_step_init_scheme use_mambapy use_falcon_mambapy use_associative_scan";

/** Mamba: layers of a selective scan alone. */
export const mamba: Architecture = {
  modelTypes: ["mamba"],
  class: "MambaForCausalLM",
  tied: true,
  config: () => [
    ...mixerStack(
      (fields, { embedDim = 1 }) => mambaLayer(fields, mambaNames, embedDim),
      (config) => mambaFields(mixerOf(config), mambaNames),
    ),
    without("hidden_act", "silu"),
  ],
  tensors: (config, tied) => mixerStackTensors(config, tied, (mixer) => mambaTensors(mixer, "mixer")),
  ignored: mambaIgnoredFields,
};

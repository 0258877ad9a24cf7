import { mixerLayer, selectiveScan, type MixerLayer } from "@qkv/attention";
import { silu } from "@qkv/tensor";
import { stacked } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import type { ConfigFields } from "./config-fields.js";
import { without } from "./config-entry.js";
import { mixerOf } from "./mixed-layers.js";
import { mixerStack, mixerStackTensors } from "./mixer-stack.js";
import { fused, linear, matrices, stored, under } from "./stored-tensor.js";

/** Rank of time steps; `auto` is a sixteenth of the width. */
function rankOf(fields: ConfigFields, automatic: number): number {
  const name = "time_step_rank";
  const isAuto = ((): boolean => {
    try {
      return fields.text(name, "auto") === "auto";
    } catch {
      return false;
    }
  })();
  return isAuto ? automatic : fields.count(name);
}

/** Mamba: layers of a selective scan alone. */
export const mamba: Architecture = {
  modelTypes: ["mamba"],
  class: "MambaForCausalLM",
  tied: true,
  config: () => [
    ...mixerStack(
      (fields, { embedDim = 1 }) => {
        const channels = fields.countOr(
          fields.countOr(2, "expand") * embedDim,
          "intermediate_size",
          "d_inner",
        );
        const automatic = Math.ceil(embedDim / 16);
        return mixerLayer({
          embedDim,
          numHeads: channels,
          numKeyHeads: 1,
          keyDim: fields.countOr(16, "state_size"),
          valueDim: 1,
          convolution: fields.countOr(4, "conv_kernel"),
          convolutionBias: fields.flag("use_conv_bias", true),
          projectFrom: "value",
          ranks: { deltaTime: rankOf(fields, automatic) },
          mixer: selectiveScan(),
          skip: true,
          outputNorm: "none",
          outputGate: silu,
          bias: fields.flag("use_bias", false),
        }) as unknown as MixerLayer;
      },
      (config) => {
        const mixer = mixerOf(config);
        return mixer
          ? {
              intermediate_size: mixer.numHeads,
              state_size: mixer.keyDim,
              conv_kernel: mixer.convolution,
              use_conv_bias: mixer.convolutionBias,
              use_bias: mixer.bias,
              time_step_rank: mixer.ranks?.["deltaTime"],
            }
          : {};
      },
    ),
    without("hidden_act", "silu"),
  ],
  tensors: (config, tied) =>
    mixerStackTensors(config, tied, (mixer) => {
      const { embedDim: C, numHeads: D, keyDim: N = 0, ranks, convolution = 0 } = mixer;
      const R = ranks?.["deltaTime"] ?? 0;
      return under("attention", "mixer", [
        fused(["value", "outputGate"], "in_proj", stacked([D, D]), C),
        stored("convolution.value.weight", "conv1d.weight", [D, 1, convolution]),
        ...(mixer.convolutionBias ? [stored("convolution.value.bias", "conv1d.bias", [D])] : []),
        linear("deltaTime", "dt_proj", [D, R]),
        matrices(["deltaTime.down", "key.weight", "query.weight"], "x_proj.weight", [R, N, N], D),
        stored("A.value", "A_log", [D, N]),
        stored("skip.weight", "D", [D]),
        linear("output", "out_proj", [C, D]),
      ]);
    }),
  ignored:
    "residual_in_fp32 rescale_prenorm_residual time_step_min time_step_max time_step_floor time_step_scale time_step_init_scheme use_mambapy use_associative_scan",
};

import { mixerLayer, selectiveScan, type MixerLayer, type MixerLayerConfig } from "@qkv/attention";
import { silu } from "@qkv/tensor";
import { stacked } from "../conversions/row-map.js";
import type { ConfigFields } from "./config-fields.js";
import { automatic } from "./mamba2-parts.js";
import { fused, linear, matrices, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Names of the fields of a Mamba mixer, which architectures give them. */
export type MambaNames = {
  channels: readonly string[];
  expand: string;
  state: string;
  taps: string;
  rank: string;
  convolutionBias: string;
  bias: string;
};

/** Those of Mamba itself. */
export const mambaNames: MambaNames = {
  channels: ["intermediate_size", "d_inner"],
  expand: "expand",
  state: "state_size",
  taps: "conv_kernel",
  rank: "time_step_rank",
  convolutionBias: "use_conv_bias",
  bias: "use_bias",
};

type More = Pick<MixerLayerConfig, "inputs" | "rankMaps">;

/** A mixer of Mamba: a selective scan behind a convolution, a skip and a gate, with a head for each channel. */
export function mambaLayer(
  fields: ConfigFields,
  names: MambaNames,
  embedDim: number,
  more: More = {},
): MixerLayer {
  const channels = fields.countOr(fields.countOr(2, names.expand) * embedDim, ...names.channels);
  const isAutomatic = automatic(fields, names.rank) || !fields.has(names.rank);
  return mixerLayer({
    embedDim,
    numHeads: channels,
    numKeyHeads: 1,
    keyDim: fields.countOr(16, names.state),
    valueDim: 1,
    convolution: fields.countOr(4, names.taps),
    convolutionBias: fields.flag(names.convolutionBias, true),
    projectFrom: "value",
    ranks: { deltaTime: isAutomatic ? Math.ceil(embedDim / 16) : fields.count(names.rank) },
    ...more,
    mixer: selectiveScan(),
    skip: true,
    outputNorm: "none",
    outputGate: silu,
    bias: fields.flag(names.bias, false),
  }) as unknown as MixerLayer;
}

/** Fields of such a mixer. */
export const mambaFields = (mixer: MixerLayerConfig | undefined, names: MambaNames) =>
  mixer
    ? {
        ...(names.channels[0] === undefined
          ? { [names.expand]: mixer.numHeads / mixer.embedDim }
          : { [names.channels[0]]: mixer.numHeads }),
        [names.state]: mixer.keyDim,
        [names.taps]: mixer.convolution,
        [names.convolutionBias]: mixer.convolutionBias,
        [names.bias]: mixer.bias,
        [names.rank]: mixer.ranks?.["deltaTime"],
      }
    : {};

/** Tensors of such a mixer under its path in the file. `more`: of what an architecture adds. */
export function mambaTensors(
  mixer: MixerLayerConfig,
  name: string,
  more: readonly StoredTensor[] = [],
): StoredTensor {
  const { embedDim: C, numHeads: D, keyDim: N = 0, ranks, convolution = 0 } = mixer;
  const R = ranks?.["deltaTime"] ?? 0;
  return under("attention", name, [
    fused(["value", "outputGate"], "in_proj", stacked([D, D]), C),
    stored("convolution.value.weight", "conv1d.weight", [D, 1, convolution]),
    ...(mixer.convolutionBias ? [stored("convolution.value.bias", "conv1d.bias", [D])] : []),
    linear("deltaTime", "dt_proj", [D, R]),
    matrices(["deltaTime.down", "key.weight", "query.weight"], "x_proj.weight", [R, N, N], D),
    stored("A.value", "A_log", [D, N]),
    stored("skip.weight", "D", [D]),
    linear("output", "out_proj", [C, D]),
    ...more,
  ]);
}

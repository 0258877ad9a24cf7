import { mixerLayer, selectiveScan, type MixerLayer, type MixerLayerConfig } from "@qkv/attention";
import { silu } from "@qkv/tensor";
import { stacked } from "../conversions/row-map.js";
import type { ConfigFields } from "./config-fields.js";
import { automatic } from "./mamba2-parts.js";
import { fused, linear, matrices, reshaped, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Field names of a Mamba mixer, which differ between architectures. */
export type MambaNames = {
  channels: readonly string[];
  expand: string;
  state: string;
  taps: string;
  rank: string;
  convolutionBias: string;
  bias: string;
};

/** Field names of Mamba. */
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

/** A Mamba mixer with the sizes in the fields of a file. */
export function mambaLayer(
  fields: ConfigFields,
  names: MambaNames,
  embedDim: number,
  more: More = {},
): MixerLayer {
  const isAutomatic = automatic(fields, names.rank) || !fields.has(names.rank);
  return mambaMixer({
    embedDim,
    channels: fields.countOr(fields.countOr(2, names.expand) * embedDim, ...names.channels),
    state: fields.countOr(16, names.state),
    taps: fields.countOr(4, names.taps),
    rank: isAutomatic ? Math.ceil(embedDim / 16) : fields.count(names.rank),
    convolutionBias: fields.flag(names.convolutionBias, true),
    bias: fields.flag(names.bias, false),
    ...more,
  });
}

type MambaSizes = More & {
  embedDim: number;
  channels: number;
  /** State dimension N of each channel. */
  state: number;
  /** Kernel size of the short convolution. Unit: tokens. */
  taps: number;
  /** Rank of the low-rank time step. */
  rank: number;
  /** Default true. */
  convolutionBias?: boolean;
  /** Default false. */
  bias?: boolean;
};

/** A Mamba mixer: a short convolution, a selective scan with one head per channel, a skip connection and a gate. */
export const mambaMixer = ({
  channels,
  state,
  taps,
  rank,
  convolutionBias = true,
  bias = false,
  ...others
}: MambaSizes): MixerLayer =>
  mixerLayer({
    ...others,
    numHeads: channels,
    numKeyHeads: 1,
    keyDim: state,
    valueDim: 1,
    convolution: taps,
    convolutionBias,
    projectFrom: "value",
    ranks: { deltaTime: rank },
    mixer: selectiveScan(),
    skip: true,
    outputNorm: "none",
    outputGate: silu,
    bias,
  }) as unknown as MixerLayer;

/** Writes the fields of a Mamba mixer. */
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

/** Names and layouts of the tensors of a Mamba mixer. */
export type MambaLayout = {
  input: string;
  convolution: string;
  /** Shape of the stored convolution kernel of D channels. `taps`: kernel size in tokens. */
  taps: (D: number, taps: number) => readonly number[];
  step: string;
  /** The projection to the low-rank time step, B and C. */
  scan: string;
  /** The decay rate A, `[D, N]`. */
  rate: (sizes: readonly number[]) => StoredTensor;
  skip: string;
  output: string;
};

const huggingFaceLayout: MambaLayout = {
  input: "in_proj",
  convolution: "conv1d",
  taps: (D, taps) => [D, 1, taps],
  step: "dt_proj",
  scan: "x_proj.weight",
  rate: (sizes) => stored("A.value", "A_log", sizes),
  skip: "D",
  output: "out_proj",
};

/** Tensors of a Mamba mixer, with its prefix in the file. `more`: further options of the architecture. */
export function mambaTensors(
  mixer: MixerLayerConfig,
  name: string,
  more: readonly StoredTensor[] = [],
  names: MambaLayout = huggingFaceLayout,
): StoredTensor {
  const { embedDim: C, numHeads: D, keyDim: N = 0, ranks, convolution = 0 } = mixer;
  const R = ranks?.["deltaTime"] ?? 0;
  const taps = { stored: names.taps(D, convolution), inParams: [D, 1, convolution] };
  return under("attention", name, [
    fused(["value", "outputGate"], names.input, stacked([D, D]), C),
    reshaped("convolution.value.weight", `${names.convolution}.weight`, taps),
    ...(mixer.convolutionBias ? [stored("convolution.value.bias", `${names.convolution}.bias`, [D])] : []),
    linear("deltaTime", names.step, [D, R]),
    matrices(["deltaTime.down", "key.weight", "query.weight"], names.scan, [R, N, N], D),
    names.rate([D, N]),
    stored("skip.weight", names.skip, [D]),
    linear("output", names.output, [C, D]),
    ...more,
  ]);
}

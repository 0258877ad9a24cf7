import { mixerLayer, ssd, type MixerLayer, type MixerLayerConfig } from "@qkv/attention";
import { silu } from "@qkv/tensor";
import { stacked } from "../conversions/row-map.js";
import type { ConfigFields } from "./config-fields.js";
import { fused, linear, norm, parts, stored, under, type StoredTensor } from "./stored-tensor.js";
import { timeStepFields, timeStepLimits } from "./time-step.js";

/** Names of the fields of a Mamba-2 mixer, which architectures give them. */
export type Mamba2Names = {
  heads: string;
  headDim: string;
  state: string;
  groups: string;
  taps: string;
  convolutionBias: string;
  bias: string;
};

/** Names with a prefix, as hybrids have them. */
export const hybridNames: Mamba2Names = {
  heads: "mamba_n_heads",
  headDim: "mamba_d_head",
  state: "mamba_d_state",
  groups: "mamba_n_groups",
  taps: "mamba_d_conv",
  convolutionBias: "mamba_conv_bias",
  bias: "mamba_proj_bias",
};

type Own = { embedDim: number; normEps: number } & Pick<MixerLayerConfig, "outputNorm" | "gatePlace">;

/** A mixer of Mamba-2: state space duality behind a convolution, a skip, and a gate beside a norm. */
export function mamba2Layer(
  fields: ConfigFields,
  names: Mamba2Names,
  { gatePlace, ...own }: Own,
): MixerLayer {
  fields.mustBe(names.bias, false);
  const deltaTime = timeStepLimits(fields);
  return mixerLayer({
    ...own,
    numHeads: fields.count(names.heads),
    numKeyHeads: fields.countOr(1, names.groups),
    keyDim: fields.count(names.state),
    valueDim: fields.count(names.headDim),
    convolution: fields.countOr(4, names.taps),
    convolutionBias: fields.flag(names.convolutionBias, true),
    mixer: ssd(),
    skip: true,
    outputGate: silu,
    gatePlace: gatePlace ?? "beforeNorm",
    ...(deltaTime && { inputs: { deltaTime } }),
  }) as unknown as MixerLayer;
}

/** Fields of such a mixer. */
export const mamba2Fields = (mixer: MixerLayerConfig | undefined, names: Mamba2Names) =>
  mixer
    ? {
        [names.heads]: mixer.numHeads,
        [names.groups]: mixer.numKeyHeads,
        [names.state]: mixer.keyDim,
        [names.headDim]: mixer.valueDim,
        [names.taps]: mixer.convolution,
        [names.convolutionBias]: mixer.convolutionBias,
        [names.bias]: false,
        ...timeStepFields(mixer.inputs?.["deltaTime"]),
      }
    : {};

/** Factors of what a mixer reads, of its five inputs and of its output. */
export type Mamba2Factors = { inner: readonly number[]; output: number };

/** Tensors of such a mixer, under its paths in params and in the file. */
export function mamba2Tensors(
  mixer: MixerLayerConfig,
  [place, name]: readonly [place: string, name: string],
  { inner, output }: Mamba2Factors = { inner: [], output: 1 },
): StoredTensor {
  const { embedDim: C, numHeads: H, numKeyHeads: groups = 1, keyDim: N = 0, valueDim: V = 0 } = mixer;
  const channels = [H * V, groups * N, groups * N];
  const convolved = ["value", "key", "query"].map((input) => `convolution.${input}`);
  const ofEach = (what: string) => convolved.map((input) => `${input}.${what}`);
  return under(place, name, [
    fused(
      ["outputGate", "value", "key", "query", "deltaTime"],
      "in_proj",
      stacked([H * V, ...channels, H]),
      C,
      { ownBiases: true, factors: inner },
    ),
    parts(ofEach("weight"), "conv1d.weight", channels, [1, mixer.convolution ?? 0]),
    ...(mixer.convolutionBias ? [parts(ofEach("bias"), "conv1d.bias", channels)] : []),
    stored("deltaTime.bias", "dt_bias", [H]),
    stored("A.value", "A_log", [H]),
    stored("skip.weight", "D", [H]),
    ...(mixer.outputNorm === "none" ? [] : [norm("outputNorm", "norm", H * V)]),
    linear("output", "out_proj", [C, H * V], { factors: [output] }),
  ]);
}

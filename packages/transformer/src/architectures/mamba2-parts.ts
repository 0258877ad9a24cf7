import { mixerLayer, ssd, type MixerLayer, type MixerLayerConfig } from "@qkv/attention";
import { add, mul, silu, zeros, type Tensor } from "@qkv/tensor";
import { stacked } from "../conversions/row-map.js";
import type { ConfigFields } from "./config-fields.js";
import { fused, linear, norm, paramAt, parts, stored, under, type StoredTensor } from "./stored-tensor.js";
import { concatenated, unchanged } from "./tensor-to-write.js";
import { timeStepFields, timeStepLimits, type LimitedTimeStep } from "./time-step.js";

/** Field names of a Mamba-2 mixer, which differ between architectures. */
export type Mamba2Names = {
  heads: string;
  headDim: string;
  state: string;
  groups: string;
  taps: string;
  convolutionBias: string;
  /** Bias of the input projection, and of the output projection unless it has its own field. */
  bias: string;
  outputBias?: string;
};

/** Field names with the prefix `mamba_`, as in hybrid models. */
export const hybridNames: Mamba2Names = {
  heads: "mamba_n_heads",
  headDim: "mamba_d_head",
  state: "mamba_d_state",
  groups: "mamba_n_groups",
  taps: "mamba_d_conv",
  convolutionBias: "mamba_conv_bias",
  bias: "mamba_proj_bias",
};

type SharedOptions = { embedDim: number; normEps: number } & Pick<
  MixerLayerConfig,
  "outputNorm" | "gatePlace"
>;

/** A Mamba-2 mixer with the sizes in the fields of a file. */
export function mamba2Layer(fields: ConfigFields, names: Mamba2Names, options: SharedOptions): MixerLayer {
  const inputs = fields.flag(names.bias, false);
  const output = names.outputBias === undefined ? inputs : fields.flag(names.outputBias, false);
  const heads = fields.count(names.heads);
  return mamba2Mixer({
    ...options,
    ...((inputs || output) && { bias: inputs && output ? true : inputs ? "inputs" : "output" }),
    heads,
    groups: fields.countOr(1, names.groups),
    state: fields.count(names.state),
    headDim: automatic(fields, names.headDim)
      ? (fields.countOr(2, "mamba_expand") * options.embedDim) / heads
      : fields.count(names.headDim),
    taps: fields.countOr(4, names.taps),
    convolutionBias: fields.flag(names.convolutionBias, true),
    deltaTime: timeStepLimits(fields),
  });
}

type Mamba2Sizes = SharedOptions &
  Pick<MixerLayerConfig, "bias"> & {
    heads: number;
    groups: number;
    /** State dimension N. */
    state: number;
    headDim: number;
    /** Kernel size of the short convolution. Unit: tokens. */
    taps: number;
    /** Default true. */
    convolutionBias?: boolean;
    /** Limits of the time step. Default: none. */
    deltaTime?: LimitedTimeStep | undefined;
  };

/** A Mamba-2 mixer: a short convolution, state space duality, a skip connection, a gate and a norm. */
export const mamba2Mixer = ({
  heads,
  groups,
  state,
  headDim,
  taps,
  convolutionBias = true,
  deltaTime,
  gatePlace = "beforeNorm",
  ...others
}: Mamba2Sizes): MixerLayer =>
  mixerLayer({
    ...others,
    numHeads: heads,
    numKeyHeads: groups,
    keyDim: state,
    valueDim: headDim,
    convolution: taps,
    convolutionBias,
    mixer: ssd(),
    skip: true,
    outputGate: silu,
    gatePlace,
    ...(deltaTime && { inputs: { deltaTime } }),
  }) as unknown as MixerLayer;

/** True if a size is `"auto"`: it follows from other sizes. */
export function automatic(fields: ConfigFields, name: string): boolean {
  try {
    return fields.has(name) && fields.text(name) === "auto";
  } catch {
    return false;
  }
}

/** Writes the fields of a Mamba-2 mixer. */
export const mamba2Fields = (mixer: MixerLayerConfig | undefined, names: Mamba2Names) =>
  mixer
    ? {
        [names.heads]: mixer.numHeads,
        [names.groups]: mixer.numKeyHeads,
        [names.state]: mixer.keyDim,
        [names.headDim]: mixer.valueDim,
        [names.taps]: mixer.convolution,
        [names.convolutionBias]: mixer.convolutionBias,
        [names.bias]: mixer.bias === true || mixer.bias === "inputs",
        ...(names.outputBias !== undefined && {
          [names.outputBias]: mixer.bias === true || mixer.bias === "output",
        }),
        ...timeStepFields(mixer.inputs?.["deltaTime"]),
      }
    : {};

/** Multipliers of the five parts of the input projection, of their biases, and of the output projection. */
export type Mamba2Factors = { inner: readonly number[]; bias: readonly number[]; output: number };

/** The bias of the input projection. The part of the time step is added to `dt_bias`, and is written as zeros. */
function inputBiases(sizes: readonly number[], factors: readonly number[]): StoredTensor {
  const paramPaths = ["outputGate", "value", "key", "query", "deltaTime"].map((input) => `${input}.bias`);
  return (at) => ({
    factors: paramPaths.map((param, i) => [at.param + param, factors[i] ?? 1] as const),
    async read(weights) {
      const biases = await weights.rows(`${at.name}in_proj.bias`, stacked(sizes), []);
      const timeStepBias = await weights.tensor(`${at.name}dt_bias`, [sizes.at(-1)!]);
      return biases.map((part, i) => {
        const scaled = factors[i] === undefined || factors[i] === 1 ? part : mul(part, factors[i]);
        return [at.param + paramPaths[i]!, i === 4 ? add(scaled, timeStepBias) : scaled] as const;
      });
    },
    write(params) {
      const biases = paramPaths.map((param) => paramAt(params, at.param + param) as Tensor);
      const timeStepBias = biases.pop()!;
      const zeroBias = zeros(timeStepBias.shape, { device: timeStepBias.device });
      return [
        concatenated(`${at.name}in_proj.bias`, [...biases, zeroBias]),
        unchanged(`${at.name}dt_bias`, timeStepBias),
      ];
    },
  });
}

/** Names and layouts of the tensors of a Mamba-2 mixer. */
export type Mamba2Layout = {
  input: string;
  convolution: string;
  /** Shape of the convolution kernel after the channel axis. */
  taps: (taps: number) => readonly number[];
  stepBias: string;
  /** Decay rate A and skip D, one value per head. */
  heads: (H: number) => readonly StoredTensor[];
  /** The gain of the output norm, `[H · V]`. */
  norm: (length: number, groups: number) => StoredTensor;
  output: string;
};

const huggingFaceLayout: Mamba2Layout = {
  input: "in_proj",
  convolution: "conv1d",
  taps: (taps) => [1, taps],
  stepBias: "dt_bias",
  heads: (H) => [stored("A.value", "A_log", [H]), stored("skip.weight", "D", [H])],
  norm: (length) => norm("outputNorm", "norm", length),
  output: "out_proj",
};

/** Tensors of a Mamba-2 mixer, with its prefixes in params and in the file. */
export function mamba2Tensors(
  mixer: MixerLayerConfig,
  [param, name]: readonly [param: string, name: string],
  { inner, bias, output }: Mamba2Factors = { inner: [], bias: [], output: 1 },
  names: Mamba2Layout = huggingFaceLayout,
): StoredTensor {
  const { embedDim: C, numHeads: H, numKeyHeads: groups = 1, keyDim: N = 0, valueDim: V = 0 } = mixer;
  const taps = mixer.convolution ?? 0;
  const channels = [H * V, groups * N, groups * N];
  const convolved = ["value", "key", "query"].map((input) => `convolution.${input}`);
  const convolvedParams = (kind: "weight" | "bias") => convolved.map((input) => `${input}.${kind}`);
  return under(param, name, [
    fused(
      ["outputGate", "value", "key", "query", "deltaTime"],
      names.input,
      stacked([H * V, ...channels, H]),
      C,
      { ownBiases: true, factors: inner, biasFactors: bias },
    ),
    parts(convolvedParams("weight"), `${names.convolution}.weight`, channels, names.taps(taps), [1, taps]),
    ...(mixer.convolutionBias ? [parts(convolvedParams("bias"), `${names.convolution}.bias`, channels)] : []),
    ...(mixer.bias === true || mixer.bias === "inputs"
      ? [inputBiases([H * V, ...channels, H], bias)]
      : [stored("deltaTime.bias", names.stepBias, [H])]),
    ...names.heads(H),
    ...(mixer.outputNorm === "none" ? [] : [names.norm(H * V, groups)]),
    linear("output", names.output, [C, H * V], {
      ...{ factors: [output], biasFactors: [output] },
      ...(mixer.bias === true || mixer.bias === "output" ? { bias: true } : { ownBiases: true }),
    }),
  ]);
}

import { checks, type Checks } from "@qkv/core";
import { groupNorm, mul, ones, randn, splitSeed, transpose, zeros, type Tensor } from "@qkv/tensor";
import { conv1d } from "@qkv/tensor/convolutions";
import { activationFunction, type Activation } from "../layers/activation.js";
import type { NormParams } from "../layers/norm.js";

/** A convolution over samples of a waveform, or over frames of features. */
export type SoundConvolutionConfig = {
  /** Number of output channels. */
  channels: number;
  kernelSize: number;
  /** Default 1. */
  stride?: number;
  /** Zeros at both ends. Default 0. */
  padding?: number;
  /** Activation of its output. Default: none. */
  activation: Activation;
  /** True: group norm with one group after the activation (Moonshine). Default false. */
  groupNorm?: boolean;
  /** A bias in initial params; loaded params have a bias if it is stored. Default true. */
  bias?: boolean;
};

/** Params of a convolution. */
export type SoundConvolutionParams = {
  /** `[channels, input channels, kernelSize]` */
  weight: Tensor;
  /** `[channels]` */
  bias?: Tensor;
  /** `[channels]`, with `groupNorm`. */
  norm?: NormParams;
};

/** A sequence of convolutions: created from their configuration; the params are passed to each call. */
export type SoundConvolutions = {
  init(seed: number): SoundConvolutionParams[];
  /** Features `[B, channels, frames]` to rows `[B, S, C]`. */
  apply(params: readonly SoundConvolutionParams[], features: Tensor): Tensor;
  /** Minimum number of input frames, which gives one row. */
  readonly leastFrames: number;
};

/**
 * The convolutions before the encoder of a speech model, which halve the number of frames (Whisper) or process a waveform
 * (Moonshine).
 *
 * @param fn - Function name in errors.
 * @param inputChannels - Channels of the features: mel bands, or 1 of a waveform.
 */
export function soundConvolutions(
  fn: string,
  inputChannels: number,
  convolutions: readonly SoundConvolutionConfig[],
): SoundConvolutions {
  const check: Checks = checks(fn);
  check.whole({ inputChannels }, { min: 1 });
  check.list({ convolutions }, "configurations of convolutions");
  const layers = convolutions.map((convolution, i) => {
    const given = check.options(convolution, names, `convolutions[${i}]`);
    const { channels, kernelSize, stride = 1, padding = 0, groupNorm: normed = false, bias = true } = given;
    check.whole({ channels, kernelSize, stride }, { min: 1 });
    check.whole({ padding }, { min: 0 });
    check.type({ groupNorm: normed, bias }, "boolean");
    const inputs = i === 0 ? inputChannels : convolutions[i - 1]!.channels;
    return {
      ...{ channels, kernelSize, stride, padding, normed, bias, inputs },
      activate: activationFunction(fn, given.activation),
    };
  });
  return {
    leastFrames: layers.reduceRight(
      (length, { kernelSize, stride, padding }) =>
        Math.max(1, (length - 1) * stride + kernelSize - 2 * padding),
      1,
    ),
    init: (seed) =>
      splitSeed(seed, layers.length, layers.length).map((seed, i) => {
        const { channels, inputs, kernelSize, bias, normed } = layers[i]!;
        return {
          weight: mul(randn([channels, inputs, kernelSize], { seed }), 1 / Math.sqrt(inputs * kernelSize)),
          ...(bias && { bias: zeros([channels]) }),
          ...(normed && { norm: { weight: ones([channels]), bias: zeros([channels]) } }),
        };
      }),
    apply(params, features) {
      const channelsFirst = layers.reduce((x, { stride, padding, activate, normed }, i) => {
        const { weight, bias, norm } = params[i]!;
        const activated = activate(conv1d(x, weight, { stride, padding, ...(bias && { bias }) }));
        return normed ? groupNorm(activated, 1, norm!.weight, norm!.bias) : activated;
      }, features);
      return transpose(channelsFirst); // [B, S, C]
    },
  };
}

const names = ["channels", "kernelSize", "stride", "padding", "activation", "groupNorm", "bias"] as const;

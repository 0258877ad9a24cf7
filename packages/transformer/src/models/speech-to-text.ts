import { checks, refuseShape, type Checks } from "@qkv/core";
import { checkTensor, reshape, type Tensor } from "@qkv/tensor";
import { checkParams } from "../layers/check-params.js";
import { checkTrace, traceAt, type ModelTrace, type TracedLayers } from "../layers/trace.js";
import {
  crossDecoder,
  crossDecoderNames,
  type CrossDecoder,
  type CrossDecoderConfig,
  type CrossDecoderParams,
} from "./cross-decoder.js";
import type { DecoderKernels } from "./decoder.js";
import { paddedLengths, type EncodedSource } from "./encoded-source.js";
import { layerStack, type LayerStackConfig, type LayerStackParams } from "./layer-stack.js";
import { modelSeeds } from "./model-seeds.js";
import {
  soundConvolutions,
  type SoundConvolutionConfig,
  type SoundConvolutionParams,
} from "./sound-convolutions.js";

/** Configuration of the encoder of a speech model. */
export type SpeechEncoderConfig = LayerStackConfig & {
  /** Number of input channels: mel bands, or 1 for a waveform. */
  inputChannels: number;
  /** Convolutions before the layers. */
  convolutions: readonly SoundConvolutionConfig[];
};

/** Configuration of a speech model: the fields of its decoder, and its encoder. */
export type SpeechToTextConfig = CrossDecoderConfig & { encoder: SpeechEncoderConfig };

/** Params of a speech model. */
export type SpeechToTextParams = CrossDecoderParams & {
  encoder: LayerStackParams & { convolutions: SoundConvolutionParams[] };
};

export type HearOptions = {
  /** Number of encoder rows of each batch without padding. Default: no padding. */
  padding?: readonly number[];
  /** Receives traced tensors, named `encoder.layers.0.attention.weights`. Default: nothing is traced. */
  trace?: ModelTrace;
};

/** A speech model: created from its configuration; the params are passed to each call. */
export type SpeechToText = Pick<CrossDecoder, "apply"> & {
  readonly config: SpeechToTextConfig;
  /** Random weights. */
  init(seed: number): SpeechToTextParams;
  /**
   * Encodes audio, once for the whole generation: features `[B, inputChannels, frames]`, or samples `[B, samples]`
   * for one channel.
   */
  encode(params: SpeechToTextParams, features: Tensor, options?: HearOptions): EncodedSource;
  /** Minimum number of frames, or samples, for `encode`. */
  readonly leastFrames: number;
};

/**
 * A speech-to-text model: convolutions and an encoder process audio, and a decoder generates text with
 * cross-attention to it. Whisper and Moonshine are two configurations.
 *
 * @param kernels - `linear`: the function that multiplies by weight matrices. Default: `linear` of @qkv/tensor.
 * @throws {ArgumentError} If a size is wrong.
 * @see "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), arXiv:2212.04356; "Moonshine" (2024), arXiv:2410.15608
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { speechToText } from "@qkv/transformer";
 *
 * const layers = { embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 20, placement: "pre" } as const;
 * const model = speechToText({
 *   ...layers,
 *   ...{ vocabSize: 11, startIds: [1], stopIds: [2] },
 *   encoder: {
 *     ...layers,
 *     inputChannels: 4,
 *     convolutions: [
 *       { channels: 8, kernelSize: 3, padding: 1, activation: "gelu" },
 *       { channels: 8, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" },
 *     ],
 *   },
 * });
 * const params = model.init(1);
 * const source = model.encode(params, randn([1, 4, 40], { seed: 2 })); // 40 frames of 4 mel bands
 * const tensors: Record<string, { shape: readonly number[] }> = {};
 * const trace = { names: ["decoder.layers.0.crossAttention.weights"], tensors } as never;
 * model.apply(params, [1, 5, 3], { source, trace }).shape; // => [1, 3, 11]
 * tensors["decoder.layers.0.crossAttention.weights"]!.shape; // => [1, 2, 3, 20]
 * ```
 */
export function speechToText(config: SpeechToTextConfig, kernels?: DecoderKernels): SpeechToText {
  const { encoder: encoderConfig, ...decoderConfig } = check.options(config, names(), "config");
  const { linear: map } = check.options(kernels, ["linear"], "kernels");
  const { inputChannels, convolutions, ...layers } = (encoderConfig ?? {}) as SpeechEncoderConfig;
  const convolutionStack = soundConvolutions("speechToText", inputChannels, convolutions);
  const outputChannels = convolutions.at(-1)?.channels ?? inputChannels;
  check.each(
    { "encoder.embedDim": layers.embedDim },
    (value) => value === outputChannels,
    `${outputChannels}, the channels of the last convolution`,
    "give both the width of the encoder.",
  );
  const kernel = map && { linear: map };
  const stack = layerStack("speechToText", layers, undefined, kernel);
  const notRecurrent = (count: number) => new Array<boolean>(count).fill(false);
  const traced: TracedLayers = { path: "encoder", recurrent: notRecurrent(layers.numLayers) };
  const decoder = crossDecoder(decoderConfig, { dim: layers.embedDim, traced: [traced] }, kernel);
  return {
    config,
    apply: decoder.apply,
    leastFrames: convolutionStack.leastFrames,
    init(seed) {
      const [seeds, [decoderSeed, ...layerSeeds]] = modelSeeds(
        seed,
        ["convolutions", "positions"],
        1 + layers.numLayers,
      );
      return {
        ...decoder.init(decoderSeed!),
        encoder: {
          ...stack.init({ positions: seeds.positions, layers: layerSeeds }),
          convolutions: convolutionStack.init(seeds.convolutions),
        },
      };
    },
    encode(params, features, options) {
      const { padding, trace } = onEncode.options(options, ["padding", "trace"]);
      checkParams(onEncode, params, ["embedding.weight", "encoder.layers", "decoder.layers"]);
      checkTrace(onEncode, trace, traced, {
        ...{ path: "decoder", crossAttention: true, recurrent: notRecurrent(config.numLayers) },
      });
      const checkedFeatures = checkFeatures(features, inputChannels, convolutionStack.leastFrames);
      return checkedFeatures.device.scope(() => {
        const embeddings = convolutionStack.apply(params.encoder.convolutions, checkedFeatures);
        const S = embeddings.shape[1]!;
        if (padding) checkPadding(padding, checkedFeatures.shape[0]!, S);
        const { mask } = paddedLengths(padding, S);
        const rows = stack.apply(params.encoder, embeddings, {
          ...(mask && { mask }),
          ...(trace && { trace: traceAt(trace, "encoder") }),
        });
        return decoder.source(params, rows, padding);
      });
    },
  };
}

/** Checks features, and reshapes a waveform to `[B, 1, samples]`. */
function checkFeatures(features: Tensor, channels: number, leastFrames: number): Tensor {
  const { shape } = checkTensor("speechToText.encode", "features", features);
  const withChannels = channels === 1 && shape.length === 2 ? [shape[0]!, 1, shape[1]!] : shape;
  if (withChannels.length !== 3 || withChannels[1] !== channels || withChannels[2]! < leastFrames) {
    const expected = `${channels === 1 ? "[B, samples]" : `[B, ${channels}, frames]`} with ${leastFrames} or more of them`;
    const fix = "make features by the front end of the model: `@qkv/transformer/audio`.";
    refuseShape("speechToText.encode", "features", shape, expected, fix);
  }
  return withChannels === shape ? features : reshape(features, withChannels);
}

function checkPadding(padding: readonly number[], B: number, S: number): void {
  const isLength = (length: unknown) =>
    Number.isInteger(length) && (length as number) >= 1 && (length as number) <= S;
  const holds = () => padding.length === B && padding.every(isLength);
  onEncode.each({ padding }, holds, `a number of rows from 1 to ${S} for each of the ${B} clips`);
}

const check: Checks = /* @__PURE__ */ checks("speechToText");
const onEncode: Checks = /* @__PURE__ */ checks("speechToText.encode");
const names = (): readonly (keyof SpeechToTextConfig)[] => [...crossDecoderNames(), "encoder"];

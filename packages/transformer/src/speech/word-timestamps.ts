import { checks, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import type { EncodedSource } from "../models/encoded-source.js";
import type { SpeechModel } from "../models/speech-model.js";
import { alignRows, type HeadWeights } from "./align-rows.js";
import { splitToWordTokens } from "./split-to-word-tokens.js";

/** A word with start and end in seconds from the beginning of the source. Its text is empty without a tokenizer. */
export type WordTimestamp = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly ids: readonly number[];
};

/** Options of {@link wordTimestamps}. */
export type WordTimestampOptions = {
  /** Decoder prompt: start token, language, task. Default: the start token of the model. */
  decoderIds?: readonly number[];
  /** Length of the audio without padding. Unit: seconds. Default: the whole source. */
  duration?: number;
  /** Alignment heads, each `[layer, head]`. Default: those of the model, or all heads in the later half of layers. */
  heads?: readonly (readonly [layer: number, head: number])[];
  /** Width of the median filter over attention weights, odd. Unit: frames. Default 7. */
  medianWidth?: number;
};

/**
 * Computes the timestamps of the words of a transcription: cross-attention weights of alignment heads are aligned with the
 * frames of the audio by dynamic time warping. This needs one more forward pass over the text.
 *
 * Words are split at spaces. In Chinese, Japanese, Thai, Lao, Burmese and Cantonese, each character, or group of tokens that forms
 * one, is a word. `transcribe(model, sound, { words: true })` does this for each window.
 *
 * @param model - From `loadSpeech`.
 * @param source - One clip, encoded by `model.encode`.
 * @param ids - Tokens of the text, without timestamps.
 * @throws {ArgumentError} If a head does not exist, or an option is out of range.
 * @see "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), arXiv:2212.04356
 *
 * @example
 * ```ts
 * import { wordTimestamps } from "@qkv/transformer";
 *
 * // const source = model.encode(model.params, model.features.apply(sound).features);
 * // const words = await wordTimestamps(model, source, ids, { duration: sound.length / 16000 });
 * await wordTimestamps(undefined as never, undefined as never, [1]); // => throws ArgumentError: `model` is undefined
 * ```
 */
export async function wordTimestamps(
  model: SpeechModel,
  source: EncodedSource,
  ids: readonly number[],
  options?: WordTimestampOptions,
): Promise<WordTimestamp[]> {
  const isModel = () => typeof (model as Partial<SpeechModel> | undefined)?.features?.apply === "function";
  check.each({ model }, isModel, "a speech model", "load one with `loadSpeech`.");
  const isClip = () => (source as Partial<EncodedSource> | undefined)?.rows?.shape[0] === 1;
  check.each({ source }, isClip, "one clip, as `model.encode` read it", "align each clip by itself.");
  const { decoderIds = model.config.startIds, ...alignment } = readOptions(model, source, options);
  check.list({ ids, decoderIds }, "token ids", Number.isInteger);
  if (ids.length === 0) return [];
  const frames = await alignedFrames(model, source, [...decoderIds, ...ids], {
    ...alignment,
    from: decoderIds.length - 1,
  });
  const words: WordTimestamp[] = [];
  let first = 0;
  for (const { text, ids: wordIds } of splitToWordTokens(model.tokenizer, ids)) {
    const [start, end] = [frames[first]!, frames[first + wordIds.length]!];
    words.push({ text, start: start * alignment.seconds, end: end * alignment.seconds, ids: wordIds });
    first += wordIds.length;
  }
  return words;
}

type Alignment = {
  readonly heads: readonly (readonly [layer: number, head: number])[];
  readonly frames: number;
  readonly medianWidth: number;
  readonly from: number;
};

/** The first frame of each row from `from` on: row i predicts the token after `ids[i]`, the last row the end token. */
async function alignedFrames(
  { apply, params, config }: SpeechModel,
  source: EncodedSource,
  ids: readonly number[],
  { heads, frames, medianWidth, from }: Alignment,
): Promise<number[]> {
  const weightsName = (layer: number) => `decoder.layers.${layer}.crossAttention.weights` as const;
  const names = [...new Set(heads.map(([layer]) => weightsName(layer)))];
  const tensors: Record<string, Tensor> = {};
  // Includes the end token if it fits the context. Its row is only used for standardization.
  const traced = [...ids, ...config.stopIds.slice(0, 1)].slice(0, Math.max(ids.length, config.contextLength));
  apply(params, traced, { source, last: 1, trace: { names, tensors } });
  const weightsByName = new Map<string, Float32Array>();
  for (const name of names) weightsByName.set(name, (await tensors[name]!.read()) as Float32Array);
  const [, , T, S] = tensors[names[0]!]!.shape as [number, number, number, number];
  const data = new Float32Array(heads.length * T * frames);
  heads.forEach(([layer, head], i) => {
    const weights = weightsByName.get(weightsName(layer))!;
    for (let row = 0; row < T; row++) {
      const at = (head * T + row) * S;
      data.set(weights.subarray(at, at + frames), (i * T + row) * frames);
    }
  });
  const maps: HeadWeights = { data, shape: [heads.length, T, frames] };
  return alignRows(maps, { from, until: ids.length, medianWidth });
}

function readOptions(
  model: SpeechModel,
  source: EncodedSource,
  timestampOptions: WordTimestampOptions | undefined,
) {
  const options = check.options(timestampOptions, ["decoderIds", "duration", "heads", "medianWidth"]);
  const { numLayers, numHeads } = model.config;
  const S = source.rows.shape[1]!;
  const seconds = secondsPerRow(model, S);
  const { duration = S * seconds, medianWidth = 7 } = options;
  check.finite({ duration }, { above: 0, unit: "seconds" });
  const isOdd = () => Number.isInteger(medianWidth) && medianWidth > 0 && medianWidth % 2 === 1;
  check.each({ medianWidth }, isOdd, "an odd number of frames, 1 or more", "leave it out for 7.");
  const { heads = model.speech.alignmentHeads ?? laterHeads(numLayers, numHeads) } = options;
  const isHead = (pair: unknown) => {
    const [layer, head] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return isBelow(layer, numLayers) && isBelow(head, numHeads);
  };
  const expected = `[layer, head] below ${numLayers} and ${numHeads}, one or more`;
  check.each({ heads }, (list) => Array.isArray(list) && list.length > 0 && list.every(isHead), expected);
  const frames = Math.min(S, Math.max(1, Math.round(duration / seconds)));
  return { ...options, heads, medianWidth, frames, seconds };
}

/** Duration of an encoder row, from the window length or the strides of the convolutions. Unit: seconds. */
function secondsPerRow({ features, config }: SpeechModel, rows: number): number {
  if (features.maxSamples !== undefined) return features.maxSamples / features.sampleRate / rows;
  const stride = config.encoder.convolutions.reduce((product, { stride = 1 }) => product * stride, 1);
  return stride / features.sampleRate;
}

/** All heads in the later half of layers, for models without a list of alignment heads. */
const laterHeads = (numLayers: number, numHeads: number): [number, number][] =>
  Array.from(
    { length: numLayers - Math.floor(numLayers / 2) },
    (_, i) => Math.floor(numLayers / 2) + i,
  ).flatMap((layer) => Array.from({ length: numHeads }, (_, head): [number, number] => [layer, head]));

const isBelow = (value: unknown, end: number) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;

const check: Checks = /* @__PURE__ */ checks("wordTimestamps");

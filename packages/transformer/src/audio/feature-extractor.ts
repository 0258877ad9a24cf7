import { checkDevice, checks, type Checks } from "@qkv/core";
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Features of one or more waveforms. */
export type AudioFeatures = {
  /** Input of the model, `[B, …]` in float32. The other axes depend on the extractor. */
  features: Tensor;
  /** Attention mask `[B, length]` int32: 1 for audio, 0 for padding. Undefined for models without one. */
  attentionMask?: Tensor;
};

/** Call options of a {@link FeatureExtractor}. */
export type FeatureOptions = {
  /** `longest`: pads to the longest waveform. `max_length`: pads or cuts to the input length of the model. */
  padding?: "longest" | "max_length";
  /** Sample rate of the waveforms, if known. A rate other than the extractor's is refused. Unit: Hz. */
  sampleRate?: number;
  /** Device of the result. Default: the plain device. */
  device?: Device;
};

/** Computes the input of a model from waveforms. */
export type FeatureExtractor = {
  readonly name: string;
  /** All options with their values, which an export writes to `preprocessor_config.json`. Undefined for custom extractors. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Required sample rate of the waveforms. Unit: Hz. */
  readonly sampleRate: number;
  /** Name of the features among the inputs of a model. */
  readonly inputName: "input_features" | "input_values";
  /** Input length of the model (`max_length`). Unit: samples. Undefined without a limit. */
  readonly maxSamples?: number;
  /** Computes the features of one waveform or a batch of waveforms. */
  apply(waveforms: Float32Array | readonly Float32Array[], options?: FeatureOptions): AudioFeatures;
};

/** Checked arguments of a call. */
export type FeatureCall = {
  readonly waveforms: readonly Float32Array[];
  readonly padding: "longest" | "max_length";
  readonly device: Device;
};

/** Checks the arguments of a call. */
export function readCall(
  fn: string,
  sampleRate: number,
  waveforms: Float32Array | readonly Float32Array[],
  options: FeatureOptions | undefined,
  defaultPadding: FeatureCall["padding"] = "longest",
): FeatureCall {
  const check: Checks = checks(fn);
  const list = waveforms instanceof Float32Array ? [waveforms] : waveforms;
  const isWaveform = (value: unknown) => value instanceof Float32Array && value.length > 0;
  check.list(
    { waveforms: list },
    "waveforms, each a Float32Array with a sample or more",
    isWaveform,
    "give one channel, from -1 to 1: `audioBuffer.getChannelData(0)`.",
  );
  check.each({ waveforms: list }, () => list.length > 0, "a waveform or more", "give one.");
  const {
    padding = defaultPadding,
    device = js(),
    sampleRate: waveformRate = sampleRate,
  } = check.options(options, ["padding", "sampleRate", "device"]);
  check.oneOf({ padding }, ["longest", "max_length"]);
  checkDevice(fn, device);
  checkSampleRate(check, waveformRate, sampleRate);
  return { waveforms: list, padding, device };
}

/** Refuses waveforms with another sample rate, because nothing is resampled. */
export function checkSampleRate(check: Checks, sampleRate: number, expectedRate: number): void {
  check.each(
    { sampleRate },
    () => sampleRate === expectedRate,
    `${expectedRate} Hz, the rate that the model was trained on`,
    "let the platform decode and resample: in a page " +
      `\`new AudioContext({ sampleRate: ${expectedRate} }).decodeAudioData(bytes)\`, elsewhere \`ffmpeg -ar ${expectedRate} -ac 1\`.`,
  );
}

/** A waveform in float64, cut or padded with zeros to a length. */
export function padOrTruncate(waveform: Float32Array, length: number): Float64Array {
  const result = new Float64Array(length);
  result.set(waveform.subarray(0, length));
  return result;
}

/** Attention mask `[B, length]`, int32: row b has `lengths[b]` ones, and zeros for the padding after them. */
export function paddingMask(lengths: readonly number[], length: number, device: Device): Tensor {
  const mask = new Int32Array(lengths.length * length);
  lengths.forEach((count, b) => mask.fill(1, b * length, b * length + Math.min(count, length)));
  return tensor(mask, { shape: [lengths.length, length], device });
}

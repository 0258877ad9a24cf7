import { checkDevice, checks, type Checks } from "@qkv/core";
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Features of one or more waveforms. */
export type AudioFeatures = {
  /** Input of the model, `[B, …]` in float32; the extractor tells the other axes. */
  features: Tensor;
  /** `[B, length]` int32: 1 where there is sound, 0 at padding. Left out where a model does not tell padding from sound. */
  attentionMask?: Tensor;
};

/** Options of a call of a {@link FeatureExtractor}. */
export type FeatureOptions = {
  /** `longest`: all as long as the longest waveform. `max_length`: as long as the model reads, longer ones are cut. */
  padding?: "longest" | "max_length";
  /** The waveforms' own rate, where it is known: another rate than the extractor's is refused. Unit: Hz. */
  sampleRate?: number;
  /** Of the result. Default: the plain device. */
  device?: Device;
};

/** Computes the input of a model from waveforms. */
export type FeatureExtractor = {
  readonly name: string;
  /** The options that it was made with and the defaults of the others, for exports. Left out of an extractor that is not ours. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The rate of the waveforms that it takes. Unit: Hz. */
  readonly sampleRate: number;
  /** The name of the features among a model's inputs. */
  readonly inputName: "input_features" | "input_values";
  /** Samples that the model reads at once (`max_length`). Left out where there is no limit. */
  readonly maxSamples?: number;
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
  const isWaveform = (one: unknown) => one instanceof Float32Array && one.length > 0;
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
    sampleRate: given = sampleRate,
  } = check.options(options, ["padding", "sampleRate", "device"]);
  check.oneOf({ padding }, ["longest", "max_length"]);
  checkDevice(fn, device);
  checkSampleRate(check, given, sampleRate);
  return { waveforms: list, padding, device };
}

/** Refuses waveforms of another rate: nothing here resamples. */
export function checkSampleRate(check: Checks, given: number, wanted: number): void {
  check.each(
    { sampleRate: given },
    () => given === wanted,
    `${wanted} Hz, the rate that the model was trained on`,
    "let the platform decode and resample: in a page " +
      `\`new AudioContext({ sampleRate: ${wanted} }).decodeAudioData(bytes)\`, elsewhere \`ffmpeg -ar ${wanted} -ac 1\`.`,
  );
}

/** A waveform in float64, cut or padded with zeros to a length. */
export function padOrTruncate(waveform: Float32Array, length: number): Float64Array {
  const result = new Float64Array(length);
  result.set(waveform.subarray(0, length));
  return result;
}

/** Mask `[B, length]` of rows with `real` numbers each: 1 there, 0 at the padding after them. */
export function maskOf(real: readonly number[], length: number, device: Device): Tensor {
  const mask = new Int32Array(real.length * length);
  real.forEach((count, b) => mask.fill(1, b * length, b * length + Math.min(count, length)));
  return tensor(mask, { shape: [real.length, length], device });
}

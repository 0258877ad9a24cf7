import { checkDevice, checks, type Checks } from "@qkv/core";
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Features of one or more waveforms. */
export type AudioFeatures = {
  /** Numbers that a model reads, float32: `[B, …]`, as the extractor says. */
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

/** A front end: makes what a model reads from waveforms. */
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

/** A call that is checked: the waveforms, each by itself. */
export type FeatureCall = {
  readonly waveforms: readonly Float32Array[];
  readonly padding: "longest" | "max_length";
  readonly device: Device;
};

/** Reads the arguments of a call. */
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

/** Refuses sound of another rate, since resampling is the platform's. */
export function checkSampleRate(check: Checks, given: number, wanted: number): void {
  check.each(
    { sampleRate: given },
    () => given === wanted,
    `${wanted} Hz, the rate that the model was trained on`,
    "let the platform decode and resample: in a page " +
      `\`new AudioContext({ sampleRate: ${wanted} }).decodeAudioData(bytes)\`, elsewhere \`ffmpeg -ar ${wanted} -ac 1\`.`,
  );
}

/** A waveform in float64, cut or filled with zeros to a length. */
export function fitted(waveform: Float32Array, length: number): Float64Array {
  const result = new Float64Array(length);
  result.set(waveform.subarray(0, length));
  return result;
}

/** 1 for each of the first `real` places of a row, 0 behind them: `[B, length]`. */
export function maskOf(real: readonly number[], length: number, device: Device): Tensor {
  const mask = new Int32Array(real.length * length);
  real.forEach((count, b) => mask.fill(1, b * length, b * length + Math.min(count, length)));
  return tensor(mask, { shape: [real.length, length], device });
}

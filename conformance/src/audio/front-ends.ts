import { add, reshape, sqrt, square, type Tensor } from "@qkv/tensor";
import {
  melFilterBank,
  readFeatureExtractor,
  stft,
  windowFunction,
  type FeatureOptions,
  type MelScale,
  type WindowName,
} from "@qkv/transformer/audio";
import { defineReferenceOp, type Named, type ReferenceOp } from "../reference-op.js";

/** Features of each waveform of a case, with its attributes as the configuration. */
async function featuresOf(
  feature_extractor_type: string,
  inputs: Named,
  attributes: Readonly<Record<string, unknown>>,
  options: FeatureOptions = {},
): Promise<{ features: Tensor; attention_mask?: Tensor }> {
  const config = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
  const extractor = readFeatureExtractor({ ...config, feature_extractor_type });
  const waveforms = await Promise.all(Object.values(inputs).map((one) => one.read()));
  const { device } = Object.values(inputs)[0]!;
  const { features, attentionMask } = extractor.apply(waveforms as Float32Array[], { ...options, device });
  return { features, ...(attentionMask && { attention_mask: attentionMask }) };
}

const extractors = {
  feature_extractor_type: undefined as string | undefined,
  feature_size: undefined as number | undefined,
  num_mel_bins: undefined as number | undefined,
  sampling_rate: 16000,
  padding_side: "right",
  padding_value: 0,
  return_attention_mask: undefined as boolean | undefined,
};

/** Windows, filters, short-time Fourier transforms, and feature extractors composed of them. */
export const frontEnds: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "window_function",
    inputs: [],
    attributes: { name: "hann" as WindowName, window_length: 0, periodic: true },
    run: (_, { name, window_length, periodic }) => ({
      window: windowFunction(name, window_length, { periodic }),
    }),
  }),
  defineReferenceOp({
    name: "mel_filter_bank",
    inputs: [],
    attributes: {
      num_frequency_bins: 0,
      num_mel_filters: 0,
      min_frequency: 0,
      max_frequency: 8000,
      sampling_rate: 16000,
      norm: null as "slaney" | null,
      mel_scale: "htk" as MelScale,
      triangularize_in_mel_space: false,
    },
    run: (_, attributes) => ({
      filters: melFilterBank({
        numBins: attributes.num_frequency_bins,
        numMels: attributes.num_mel_filters,
        minFrequency: attributes.min_frequency,
        maxFrequency: attributes.max_frequency,
        sampleRate: attributes.sampling_rate,
        norm: attributes.norm ?? "none",
        melScale: attributes.mel_scale,
        triangularizeInMelSpace: attributes.triangularize_in_mel_space,
      }),
    }),
  }),
  defineReferenceOp({
    name: "stft_magnitude",
    inputs: ["waveform"],
    attributes: {
      n_fft: 0,
      hop_length: 0,
      win_length: 0,
      window: "hann (periodic)",
      center: true,
      pad_mode: "reflect" as "reflect" | "constant",
      normalized: false,
      power: 1,
    },
    run({ waveform }, { n_fft, hop_length, win_length, window, center, pad_mode, normalized, power }) {
      if (window !== "hann (periodic)") throw new Error(`has a window that is not known: ${window}`);
      const { real, imag } = stft(waveform, {
        fftLength: n_fft,
        hopLength: hop_length,
        window: windowFunction("hann", win_length, { device: waveform.device }),
        center,
        padding: pad_mode,
        normalized,
      });
      const squares = add(square(real), square(imag));
      return { magnitude: power === 2 ? squares : sqrt(squares), _real: real, _imag: imag };
    },
  }),
  defineReferenceOp({
    name: "whisper_features",
    inputs: ["waveform"],
    quantity: "audio features",
    attributes: {
      ...extractors,
      n_fft: 400,
      hop_length: 160,
      chunk_length: 30,
      padding: "max_length" as "longest" | "max_length",
    },
    async run(inputs, { padding, ...config }) {
      const { features, attention_mask } = await featuresOf("WhisperFeatureExtractor", inputs, config, {
        padding,
      });
      const [, mels, frames] = features.shape as [number, number, number];
      return {
        input_features: reshape(features, [mels, frames]),
        attention_mask: reshape(attention_mask!, [frames]),
      };
    },
  }),
  defineReferenceOp({
    name: "Wav2Vec2FeatureExtractor",
    attributes: { ...extractors, do_normalize: true, padding: true },
    async run(inputs, { padding: _, ...config }) {
      const { features, ...mask } = await featuresOf("Wav2Vec2FeatureExtractor", inputs, config);
      return { input_values: features, ...mask };
    },
  }),
  defineReferenceOp({
    name: "SeamlessM4TFeatureExtractor",
    attributes: { ...extractors, stride: 2 },
    async run(inputs, config) {
      const { features, ...mask } = await featuresOf("SeamlessM4TFeatureExtractor", inputs, config);
      return { input_features: features, ...mask };
    },
  }),
  defineReferenceOp({
    name: "ASTFeatureExtractor",
    attributes: {
      ...extractors,
      do_normalize: true,
      max_length: 1024,
      mean: -4.2677393,
      std: 4.5689974,
    },
    async run(inputs, config) {
      const { features } = await featuresOf("ASTFeatureExtractor", inputs, config);
      return { input_values: features };
    },
  }),
];

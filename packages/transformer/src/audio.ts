/** Feature extractors for audio: the inputs of models, computed from waveforms. Decode and resample files with the platform's audio API. */
export { astFeatures, type AstFeaturesOptions } from "./audio/ast-features.js";
export type { AudioFeatures, FeatureExtractor, FeatureOptions } from "./audio/feature-extractor.js";
export { melFilterBank, type MelFilterBankOptions } from "./audio/mel-filter-bank.js";
export type { MelScale } from "./audio/mel-scale.js";
export { readFeatureExtractor } from "./audio/read-feature-extractor.js";
export { seamlessFeatures, type SeamlessFeaturesOptions } from "./audio/seamless-features.js";
export { stft, type StftOptions } from "./audio/stft.js";
export { waveformFeatures, type WaveformFeaturesOptions } from "./audio/waveform-features.js";
export { whisperFeatures, type WhisperFeaturesOptions } from "./audio/whisper-features.js";
export { windowFunction, type WindowName, type WindowOptions } from "./audio/window-function.js";

export { knownCheckpoints, type KnownCheckpoint } from "./checkpoints/known-checkpoints.js";
export { readLlama2c } from "./checkpoints/llama2c.js";
export {
  beamSearch,
  type BeamSearchOptions,
  type BeamSearchResult,
  type BeamToken,
} from "./generation/beam-search.js";
export type { BeamSequence, SequenceToken } from "./generation/beams.js";
export { cacheFor } from "./generation/cache-for.js";
export { promptLookup, type PromptLookupOptions } from "./generation/prompt-lookup.js";
export {
  generate,
  type GeneratedToken,
  type GenerateOptions,
  type GenerateSummary,
} from "./generation/generate.js";
export {
  generateBatch,
  type BatchGeneratedToken,
  type GenerateBatchOptions,
  type GenerateBatchSummary,
} from "./generation/generate-batch.js";
export { candidates, type Candidate, type TokenHistory, type Sampling } from "./generation/sampling.js";
export { type Activation } from "./layers/activation.js";
export { type AltUpConfig, type AltUpLayerParams, type AltUpParams } from "./layers/alt-up.js";
export {
  feedForward,
  type FeedForward,
  type FeedForwardConfig,
  type FeedForwardParams,
} from "./layers/feed-forward.js";
export { laurel, type Laurel, type LaurelConfig, type LaurelParams } from "./layers/laurel.js";
export { gru, type Gru, type GruParams } from "./layers/gru.js";
export {
  mixtureOfExperts,
  type MixtureOfExperts,
  type MixtureOfExpertsConfig,
  type MixtureOfExpertsParams,
} from "./layers/mixture-of-experts.js";
export {
  type PerLayerEmbeddingConfig,
  type PerLayerEmbeddingParams,
  type PerLayerInputParams,
} from "./layers/per-layer-embedding.js";
export { type DropoutRates } from "./models/model-dropout.js";
export { norm, type Norm, type NormKind, type NormParams } from "./layers/norm.js";
export { type LayerTraceName, type ModelTrace } from "./layers/trace.js";
export {
  transformerLayer,
  type Placement,
  type SequenceLayer,
  type SequenceLayerOptions,
  type TokenLayer,
  type TokenLayerOptions,
  type TransformerLayer,
  type TransformerLayerConfig,
  type TransformerLayerOptions,
  type TransformerLayerParams,
} from "./layers/transformer-layer.js";
export { bytePatchLengths } from "./models/byte-patch-lengths.js";
export { bytePatches } from "./models/byte-patches.js";
export type { HashConfig } from "./models/hash-embeddings.js";
export type { PatchCrossAttentionParams } from "./layers/patch-cross-attention.js";
export { load, loadEncoder, loadEncoderDecoder, type LoadOptions } from "./load.js";
export { loadAny } from "./load-any.js";
export { loadSpeech } from "./load-speech.js";
export {
  imageProcessor,
  type ImageProcessor,
  type ImageProcessorConfig,
  type ImageSides,
} from "./images/image-processor.js";
export type { RawImage, RgbImage } from "./images/raw-image.js";
export { readImageProcessorConfig } from "./images/read-image-processor-config.js";
export type { Resampling } from "./images/resize-image.js";
export { loadDualEncoder, loadVision } from "./load-vision.js";
export type { HubClient, HubOptions } from "./loading/hub.js";
export { hubCacheFolder, hubSnapshot, isHubOffline, type HubSnapshotOptions } from "./loading/hub-cache.js";
export type { Progress, ReadOptions, Source } from "./loading/open-file.js";
export type { ContentChecksum } from "./storage/content-checksum.js";
export {
  modelStore,
  type ModelStore,
  type ModelStoreOptions,
  type StoredFile,
  type StoredFileRequest,
  type StoredModel,
} from "./storage/model-store.js";
export {
  type BoundBytePatches,
  type BytePatches,
  type BytePatchesCall,
  type BytePatchesConfig,
  type DecoderConfig,
  type HybridLayer,
  type CheckpointSource,
  type LayersConfig,
  type LayerType,
  type StackedLayer,
  type LayerOverrides,
} from "./models/decoder-config.js";
export {
  decoder,
  layerAttention,
  layerExperts,
  type BytePatchesParams,
  type Decoder,
  type DecoderKernels,
  type DecoderLayerParams,
  type DecoderOptions,
  type DecoderParams,
  type DecoderRowsOptions,
} from "./models/decoder.js";
export { type RopeScalingConfig } from "./models/rope-from-config.js";
export { fusedPerHead, fromConv1D, splitFused, stacked, type RowMap } from "./conversions/row-map.js";
export { fromTorchAttention } from "./conversions/torch-attention.js";
export {
  encoder,
  type Encoder,
  type EncoderConfig,
  type EncoderOptions,
  type EncoderParams,
  type MaskedTokenHeadParams,
} from "./models/encoder.js";
export type { AttentionPoolingParams } from "./models/attention-pooling.js";
export {
  dualEncoder,
  type DualEncoder,
  type DualEncoderConfig,
  type DualEncoderParams,
} from "./models/dual-encoder.js";
export type { LayerScaled } from "./layers/layer-scale.js";
export {
  visionTransformer,
  type VisionLayerParams,
  type VisionTransformer,
  type VisionTransformerConfig,
  type VisionTransformerOptions,
  type VisionTransformerParams,
} from "./models/vision-transformer.js";
export { entailmentScores } from "./models/entailment-scores.js";
export {
  labelScores,
  taskLogits,
  type TaskHeadConfig,
  type TaskHeadParams,
  type TaskLogitsOptions,
} from "./models/task-head.js";
export { evaluate, type EvaluatedModel, type Evaluation } from "./evaluation/evaluate.js";
export type {
  AnyModel,
  CrossDecoderModel,
  DualEncoderModel,
  EncoderDecoderModel,
  EncoderModel,
  GenerativeModel,
  ImageModel,
  Model,
  ModelKind,
  ModelWithKind,
  TextModel,
  VisionModel,
} from "./models/model.js";
export type { QuantizationReport } from "./models/quantization-report.js";
export {
  crossDecoder,
  type CrossDecoder,
  type CrossDecoderConfig,
  type CrossDecoderOptions,
  type CrossDecoderParams,
} from "./models/cross-decoder.js";
export type { TokenIds } from "./models/check-ids.js";
export {
  encoderDecoder,
  type SourceOptions,
  type EncoderDecoder,
  type EncoderDecoderConfig,
  type EncoderDecoderOptions,
  type EncoderDecoderParams,
  type SourceIds,
} from "./models/encoder-decoder.js";
export { speechToText } from "./models/speech-to-text.js";
export type {
  HearOptions,
  SpeechEncoderConfig,
  SpeechToText,
  SpeechToTextConfig,
  SpeechToTextParams,
} from "./models/speech-to-text.js";
export type { SoundConvolutionConfig, SoundConvolutionParams } from "./models/sound-convolutions.js";
export type { SpeechModel } from "./models/speech-model.js";
export type { SpeechSegment } from "./speech/segments.js";
export type { SpeechTokens } from "./models/speech-tokens.js";
export {
  transcribe,
  type TranscribedSegment,
  type TranscribeOptions,
  type Transcription,
} from "./speech/transcribe.js";
export { wordTimestamps, type WordTimestamp, type WordTimestampOptions } from "./speech/word-timestamps.js";
export { sequenceRows } from "./models/sequence-rows.js";
export { sourceCache, type EncodedSource, type SourceCache } from "./models/encoded-source.js";
export type { LayerStackConfig, LayerStackParams } from "./models/layer-stack.js";
export type { SinusoidConfig } from "./models/sinusoidal-positions.js";
export {
  recurrentTranslator,
  type Annotations,
  type RecurrentTranslator,
  type RecurrentTranslatorConfig,
  type RecurrentTranslatorParams,
  type TranslatorAttention,
} from "./models/recurrent-translator.js";
export { embed, type EmbedOptions, type Pooling } from "./embedding/embed.js";
export { denseModule } from "./embedding/modules/dense.js";
export {
  embeddingRanges,
  quantizeEmbeddings,
  type EmbeddingPrecision,
  type EmbeddingRanges,
} from "./embedding/quantize-embeddings.js";
export { semanticSearch, type SearchHit } from "./embedding/semantic-search.js";
export { normalizeModule } from "./embedding/modules/normalize.js";
export { poolingModule, type PoolingMode } from "./embedding/modules/pooling.js";
export { sentenceEmbedding, type SentenceEmbeddingOptions } from "./embedding/sentence-embedding.js";
export type { SentenceConfig, SentenceModule, SentenceVectors } from "./models/sentence-config.js";
export { meanPooling, unitLength } from "./models/mean-pooling.js";
export { anyLinear } from "./quantization/any-linear.js";
export { quantize, type Quantization } from "./quantization/quantize.js";
export type {
  AutomaticSpeechRecognitionCall,
  AutomaticSpeechRecognitionOptions,
  RecognizedSpeech,
  SpeechInput,
} from "./pipeline/automatic-speech-recognition.js";
export type { FeatureExtractionOptions } from "./pipeline/feature-extraction.js";
export type { FilledMask, FillMaskOptions } from "./pipeline/fill-mask.js";
export type { ClassifiedImage, ImageClassificationOptions } from "./pipeline/image-classification.js";
export type { ImageFeatureExtractionOptions } from "./pipeline/image-feature-extraction.js";
export type { GenerationOptions } from "./pipeline/generation-options.js";
export type { PipelineOptions, PipelineProgress } from "./pipeline/load-options.js";
export type { Answer, QuestionAnsweringOptions } from "./pipeline/question-answering.js";
export type {
  Text2TextCall,
  Text2TextGenerationOptions,
  Text2TextTask,
  TranslationOptions,
  WrittenText,
} from "./pipeline/text2text-generation.js";
export type { ClassifiedText, TextClassificationOptions } from "./pipeline/text-classification.js";
export type {
  ClassifiedToken,
  EntityGroup,
  TokenClassificationOptions,
} from "./pipeline/token-classification.js";
export type { ZeroShotClassificationOptions, ZeroShotLabels } from "./pipeline/zero-shot-classification.js";
export type {
  ZeroShotImageClassificationOptions,
  ZeroShotImageLabel,
} from "./pipeline/zero-shot-image-classification.js";
export type { OutputTensor } from "./pipeline/output-tensor.js";
export {
  pipeline,
  type AutomaticSpeechRecognitionPipeline,
  type FeatureExtractionPipeline,
  type FillMaskPipeline,
  type ImageClassificationPipeline,
  type ImageFeatureExtractionPipeline,
  type Pipelines,
  type QuestionAnsweringPipeline,
  type SummarizationPipeline,
  type Text2TextGenerationPipeline,
  type TextClassificationPipeline,
  type TextGenerationPipeline,
  type TokenClassificationPipeline,
  type TranslationPipeline,
  type ZeroShotClassificationPipeline,
  type ZeroShotImageClassificationPipeline,
} from "./pipeline/pipeline.js";
export type { GeneratedChat, GeneratedText, TextGenerationOptions } from "./pipeline/text-generation.js";
export { TextStreamer, type TextStreamerOptions, type TokenStreamer } from "./pipeline/text-streamer.js";

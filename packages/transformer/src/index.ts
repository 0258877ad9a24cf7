export { readLlama2c } from "./checkpoints/llama2c.js";
export { generate, type Generated, type GenerateOptions } from "./generation/generate.js";
export type { Sampling } from "./generation/sampling.js";
export { feedForward, type FeedForwardParams } from "./layers/feed-forward.js";
export { load, type LoadOptions, type Model } from "./loading/load.js";
export type { Progress, Source } from "./loading/read-source.js";
export {
  decoder,
  type Decoder,
  type DecoderConfig,
  type DecoderLayerParams,
  type DecoderOptions,
  type DecoderParams,
} from "./models/decoder.js";

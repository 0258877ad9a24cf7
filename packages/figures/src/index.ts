export {
  attentionCallExample,
  attentionCallModel,
  type AttentionCallOptions,
} from "./attention-call-model.js";
export { cachesAtWorkModel } from "./caches-at-work-model.js";
export { encoderDecoderAttentionModel } from "./encoder-decoder-attention-model.js";
export { evolutionModel } from "./evolution-model.js";
export { flashAttentionModel } from "./flash-attention-model.js";
export { generationModel } from "./generation-model.js";
export { headConstructionsModel } from "./head-constructions-model.js";
export { headsAndKeysModel } from "./heads-and-keys-model.js";
export {
  linkedMatricesExample,
  linkedMatricesModel,
  type AttentionTrace,
  type LinkedMatricesTrace,
} from "./linked-matrices-model.js";
export { modelStackModel } from "./model-stack-model.js";
export { tokenizationModel } from "./tokenization-model.js";
export { writtenStateModel } from "./written-state-model.js";
export { transformerBlockModel, type TransformerBlockOptions } from "./transformer-block-model.js";
export type { AttentionCallModel } from "@qkv/viz/figures/attention-call";
export type { CachesAtWorkModel } from "@qkv/viz/figures/caches-at-work";
export type { EncoderDecoderAttentionModel } from "@qkv/viz/figures/encoder-decoder-attention";
export type { EvolutionModel } from "@qkv/viz/figures/evolution";
export type { FlashAttentionModel } from "@qkv/viz/figures/flash-attention";
export type { GenerationModel } from "@qkv/viz/figures/generation";
export type { HeadConstructionsModel } from "@qkv/viz/figures/head-constructions";
export type { HeadsAndKeysModel } from "@qkv/viz/figures/heads-and-keys";
export type { LinkedMatricesModel } from "@qkv/viz/figures/linked-matrices";
export type { ModelStackModel } from "@qkv/viz/figures/model-stack";
export type { TokenizationModel } from "@qkv/viz/figures/tokenization";
export type { TransformerBlockModel } from "@qkv/viz/figures/transformer-block";
export type { WrittenStateModel } from "@qkv/viz/figures/written-state";

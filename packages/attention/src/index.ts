export { gdn2 } from "./mixers/gdn2.js";
export { hgrn } from "./mixers/hgrn.js";
export { rwkv6 } from "./mixers/rwkv6.js";
export { wall } from "./scores/wall.js";
export {
  lookup,
  type BoundMask,
  type Cache,
  type Expr,
  type Extent,
  type KeyValues,
  type Mask,
  type Operand,
  type Range,
  type ScoreIndices,
  type TileClass,
  type ScoreMod,
} from "@qkv/attention-contract";
export {
  attention,
  attentionWeights,
  tracedAttention,
  type AttentionOptions,
  type Traced,
} from "./attention.js";
export { alibi, alibiSlopes } from "./biases/alibi.js";
export { forgetting } from "./biases/forgetting.js";
export { learnedRelative } from "./biases/learned-relative.js";
export { t5Bias, type T5BiasOptions } from "./biases/t5-bias.js";
export { attentionResiduals, type AttentionResidualsOptions } from "./depth/attention-residuals.js";
export { expectedAttention, type ExpectedAttentionOptions } from "./eviction/expected-attention.js";
export { h2o } from "./eviction/h2o.js";
export { keyNorm } from "./eviction/key-norm.js";
export { snapKV, type SnapKVOptions } from "./eviction/snap-kv.js";
export { tova } from "./eviction/tova.js";
export { additive, type AdditiveConfig, type AdditiveLayer, type AdditiveParams } from "./heads/additive.js";
export { type HeadsConfig, type HeadsParams, type HeadTraceName, type Trace } from "./heads/attend-heads.js";
export { type RowsOptions } from "./heads/attend-rows.js";
export {
  crossAttention,
  type CrossAttentionConfig,
  type CrossAttentionLayer,
} from "./heads/cross-attention.js";
export {
  differential,
  lambdaInitOfLayer,
  type Differential,
  type DifferentialParams,
} from "./heads/differential.js";
export {
  groupedQuery,
  type ApplyOptions,
  type AttentionLayer,
  type AttentionParams,
  type GroupedQueryConfig,
  type LinearParams,
} from "./heads/grouped-query.js";
export {
  latent,
  type LatentApplyOptions,
  type LatentConfig,
  type LatentLayer,
  type LatentParams,
} from "./heads/latent.js";
export type { LatentIndexerConfig, LatentIndexerParams } from "./heads/latent-indexer.js";
export { learnedSinks, type Sinks } from "./heads/learned-sinks.js";
export {
  luongConcat,
  type LuongConcatConfig,
  type LuongConcatLayer,
  type LuongConcatParams,
} from "./heads/luong-concat.js";
export { luongDot } from "./heads/luong-dot.js";
export { luongGeneral, type LuongGeneralConfig, type LuongGeneralLayer } from "./heads/luong-general.js";
export { memoryKeys, type MemoryKeys, type MemoryKeysParams } from "./heads/memory-keys.js";
export { multiHead, type MultiHeadConfig } from "./heads/multi-head.js";
export { multiQuery } from "./heads/multi-query.js";
export { outputGate, type OutputGate } from "./heads/output-gate.js";
export {
  fuseHeads,
  perHead,
  splitHeads,
  type PerHeadConfig,
  type PerHeadLayer,
  type PerHeadParams,
} from "./heads/per-head.js";
export { qkNorm, type QkNorm } from "./heads/qk-norm.js";
export { softmaxOne } from "./heads/softmax-one.js";
export {
  summedHeads,
  toSummedHeads,
  type SummedHeadsConfig,
  type SummedHeadsLayer,
  type SummedHeadsParams,
} from "./heads/summed-heads.js";
export { toGroupedQuery } from "./heads/to-grouped-query.js";
export { valueResidual, type ValueResidual } from "./heads/value-residual.js";
export { defineMask, type MaskDefinition } from "./mask.js";
export { and } from "./masks/and.js";
export { bigBird, type BigBirdOptions } from "./masks/big-bird.js";
export { blockSparse } from "./masks/block-sparse.js";
export { causal, type CausalOptions } from "./masks/causal.js";
export { chunked } from "./masks/chunked.js";
export { describe, type DescribeExtent, type MaskDescription } from "./masks/describe.js";
export { dilated } from "./masks/dilated.js";
export { documents } from "./masks/documents.js";
export { fromTorchKeyPadding, fromTorchMHA } from "./masks/from-torch-mha.js";
export { keepFirst } from "./masks/keep-first.js";
export { maskMod, type MaskModOptions, type MaskRule } from "./masks/mask-mod.js";
export { maskTensor } from "./masks/mask-tensor.js";
export { not } from "./masks/not.js";
export { or } from "./masks/or.js";
export { padding } from "./masks/padding.js";
export { patches, type PatchesOptions } from "./masks/patches.js";
export { prefix } from "./masks/prefix.js";
export { slidingWindow, type WindowSides } from "./masks/sliding-window.js";
export { strided } from "./masks/strided.js";
export { tree } from "./masks/tree.js";
export {
  windowFromFlashAttention,
  windowFromHuggingFace,
  windowFromKeras,
  windowFromSGLang,
} from "./masks/window-from.js";
export { mergeAttention, type AttentionPart } from "./merge-attention.js";
export { based } from "./mixers/based.js";
export { chunkwise, parallel } from "./mixers/chunkwise.js";
export { deltaProduct } from "./mixers/delta-product.js";
export { deltaRule } from "./mixers/delta-rule.js";
export { dplr } from "./mixers/dplr.js";
export { gatedDeltaRule } from "./mixers/gated-delta-rule.js";
export { gla } from "./mixers/gla.js";
export { impliedWeights } from "./mixers/implied-weights.js";
export { kda } from "./mixers/kda.js";
export { lightningAttention, type LightningAttentionOptions } from "./mixers/lightning-attention.js";
export {
  logSigmoidDecay,
  softplusDecay,
  type InputMap,
  type InputMapParams,
  type LearnedInputMap,
} from "./mixers/input-maps.js";
export { linearAttention, type LinearAttentionOptions } from "./mixers/linear-attention.js";
export { mix, type MixInputs, type MixOptions } from "./mixers/mix.js";
export {
  mixerLayer,
  type AnyMixer,
  type MixerInputParams,
  type MixerLayer,
  type MixerLayerConfig,
  type MixerLayerOptions,
  type MixerLayerParams,
} from "./mixers/mixer-layer.js";
export { defineMixer, type Mixer, type MixerCall, type MixerSizes } from "./mixers/mixer.js";
export {
  preconditionedDeltaRule,
  type PreconditionedDeltaRuleOptions,
} from "./mixers/preconditioned-delta-rule.js";
export { rebased } from "./mixers/rebased.js";
export { recurrent } from "./mixers/recurrent.js";
export { type DocumentIds, type ResetOptions } from "./mixers/resets.js";
export { retention } from "./mixers/retention.js";
export { rwkv7 } from "./mixers/rwkv7.js";
export { type FactoredScan, type FactoredSteps, type Scan, type Scanned, type Steps } from "./mixers/scan.js";
export { selectiveScan } from "./mixers/selective-scan.js";
export { simpleGla } from "./mixers/simple-gla.js";
export { ssd } from "./mixers/ssd.js";
export { abc, type AbcState } from "./mixers/abc.js";
export { deltaFormer, type DeltaFormerOptions, type DeltaFormerState } from "./mixers/delta-former.js";
export { gatedSlotAttention, type SlotOptions, type SlotState } from "./mixers/gated-slot-attention.js";
export {
  logLinearAttention,
  type LogLinearAttentionOptions,
  type LogLinearAttentionState,
} from "./mixers/log-linear-attention.js";
export { mesaNet, type MesaNetOptions, type MesaNetState } from "./mixers/mesa-net.js";
export {
  type OwnFormCall,
  type OwnFormMixer,
  type OwnFormOptions,
  type OwnFormResult,
} from "./mixers/own-form-mixer.js";
export { type InnerGradient, type InnerNorm } from "./mixers/reconstruction.js";
export { shortConvolution, type ShortConvolutionState } from "./mixers/short-convolution.js";
export { titans, type TitansOptions, type TitansState } from "./mixers/titans.js";
export { tttLinear, type TttLinearOptions, type TttLinearState } from "./mixers/ttt-linear.js";
export { firstToken } from "./patterns/first-token.js";
export { induction } from "./patterns/induction.js";
export { previousToken } from "./patterns/previous-token.js";
export { sameToken } from "./patterns/same-token.js";
export { plainAttention, type PlainAttention, type PlainAttentionOptions } from "./plain-attention.js";
export { secondGradients } from "./second-gradients.js";
export { maxPoolPatches } from "./pooling/max-pool-patches.js";
export { cope } from "./positions/cope.js";
export { dynamicNtk } from "./positions/dynamic-ntk.js";
export {
  learnedPositions,
  type LearnedPositions,
  type LearnedPositionsConfig,
} from "./positions/learned-positions.js";
export { linearScaling } from "./positions/linear-scaling.js";
export { llama3Scaling, type Llama3ScalingOptions } from "./positions/llama3-scaling.js";
export { llama4Temperature } from "./positions/llama4-temperature.js";
export { longRope, type LongRopeOptions } from "./positions/long-rope.js";
export type { Positions } from "./positions/places-of.js";
export { rope, type Rope, type RopeOptions } from "./positions/rope.js";
export { type RopeScaling } from "./positions/rope-scaling.js";
export { halfToInterleaved, interleavedToHalf, type RotaryHeads } from "./positions/rotary-layouts.js";
export type { RotaryLayout } from "./positions/check-layout.js";
export { rotate } from "./positions/rotate.js";
export { scaleByPosition, type QueryScale } from "./positions/scale-by-position.js";
export { sinusoidal, type SinusoidalOptions } from "./positions/sinusoidal.js";
export { xpos, type XposOptions } from "./positions/xpos.js";
export { yarn, type YarnOptions } from "./positions/yarn.js";
export { type ScoreCall, type ScoreForm } from "./score-form.js";
export { scoreMod, scoreModFunction } from "./score-mod.js";
export { l2Distance } from "./scores/l2-distance.js";
export { parallax } from "./scores/parallax.js";
export { path, type PathOptions } from "./scores/path.js";
export { selective } from "./scores/selective.js";
export { sigmoidWeights } from "./scores/sigmoid-weights.js";
export { talkingHeads } from "./scores/talking-heads.js";
export { topKScores } from "./scores/top-k-scores.js";
export { lightningIndexer, type LightningIndexerOptions } from "./sparse/lightning-indexer.js";
export { meanBlocks } from "./sparse/mean-blocks.js";
export { mobaBlocks, type MobaOptions } from "./sparse/moba-blocks.js";
export { nativeSparse, type NativeSparseOptions } from "./sparse/native-sparse.js";
export { nsaBlocks, type NsaBlocksOptions } from "./sparse/nsa-blocks.js";
export { pastBlocks } from "./sparse/past-blocks.js";
export { selectedKeys } from "./sparse/selected-keys.js";

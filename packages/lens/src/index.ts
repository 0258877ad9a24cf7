export {
  logitLensTokens,
  type LensNumbers,
  type LogitLensOptions,
  type LogitLensResult,
} from "./logit-lens-tokens.js";
export { inFloat64, type LensModel, type TokenInput } from "./lens-model.js";
export {
  runWithTrace,
  type Hook,
  type Hooks,
  type RunOptions,
  type TracedRun,
  type TraceNames,
} from "./run-with-trace.js";
export { decomposeResidual, type DecomposeOptions } from "./decompose/decompose-residual.js";
export { logitParts, type LogitOptions, type LogitPart, type LogitParts } from "./decompose/logit-parts.js";
export type { PartKind, PartSource, ResidualPart } from "./decompose/residual-part.js";
export {
  scoreGraph,
  type ScoreGraph,
  type ScoreGraphOptions,
  type ScoreNode,
} from "./decompose/score-graph.js";
export { scoreParts, type ScoreParts } from "./decompose/score-parts.js";
export type { ScorePlace } from "./decompose/score-sides.js";
export { headContributions, logitLens, tensorNames, type Interventions } from "@qkv/transformer/inspection";
export {
  ablate,
  meanAblation,
  resampleAblation,
  zeroAblation,
  type Ablation,
  type AblationTarget,
} from "./patching/ablate.js";
export { activationPatching, type ActivationPatchingOptions } from "./patching/activation-patching.js";
export { attributionPatching } from "./patching/attribution-patching.js";
export { cacheMaps, type CacheMap, type CacheMapsOptions, type Eviction } from "./maps/cache-maps.js";
export { crossAttentionMaps, type CrossAttentionModel } from "./maps/cross-attention-maps.js";
export { expertRouting, type ExpertRouting } from "./maps/expert-routing.js";
export { impliedMaps, type ImpliedMapsOptions } from "./maps/implied-maps.js";
export { logitDifference, type Metric } from "./patching/metric.js";
export { patch, type PatchPlace } from "./patching/patch.js";
export type { PatchingMap, PatchingOptions } from "./patching/patching-map.js";
export { pathPatching, type PathPatchingOptions, type PathPatchingResult } from "./patching/path-patching.js";
export {
  gradientTimesInput,
  integratedGradients,
  type IntegratedGradientsOptions,
  type SaliencyOptions,
} from "./attribution/saliency.js";
export { copyingScore, ovCircuit, qkCircuit, type CircuitOptions } from "./heads/circuits.js";
export type { HeadPlace } from "./heads/head-place.js";
export { headScores, type HeadScores } from "./heads/head-scores.js";
export { singularVectors, type SingularVectors } from "./heads/singular-vectors.js";
export {
  sparseAutoencoder,
  type SparseAutoencoder,
  type SparseAutoencoderOptions,
} from "./steering/sparse-autoencoder.js";
export { steer, steeringVector } from "./steering/steering.js";
export { compareAttention, type AttentionComparison, type ComparedSwap } from "./swap/compare-attention.js";
export { swapAttention, type AttentionSwap } from "./swap/swap-attention.js";

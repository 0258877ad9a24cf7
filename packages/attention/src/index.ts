export {
  attention,
  attentionWeights,
  tracedAttention,
  type AttentionOptions,
  type Traced,
} from "./attention.js";
export { type HeadsConfig, type HeadsParams, type Trace } from "./heads/attend-heads.js";
export {
  groupedQuery,
  type ApplyOptions,
  type AttentionLayer,
  type AttentionParams,
  type GroupedQueryConfig,
  type LinearParams,
} from "./heads/grouped-query.js";
export { learnedSinks, type Sinks } from "./heads/learned-sinks.js";
export { multiHead, type MultiHeadConfig } from "./heads/multi-head.js";
export { multiQuery } from "./heads/multi-query.js";
export { qkNorm, type QkNorm } from "./heads/qk-norm.js";
export { softmaxOne } from "./heads/softmax-one.js";
export { defineMask, type MaskDefinition } from "./mask.js";
export { and } from "./masks/and.js";
export { causal, type CausalOptions } from "./masks/causal.js";
export { maskTensor } from "./masks/mask-tensor.js";
export { padding } from "./masks/padding.js";
export { slidingWindow } from "./masks/sliding-window.js";
export { mergeAttention, type AttentionPart } from "./merge-attention.js";
export { plainAttention } from "./plain-attention.js";
export { rope, type Positions, type Rope, type RopeOptions } from "./positions/rope.js";
export { rotate, type RotaryLayout } from "./positions/rotate.js";
export { scoreMod, scoreModFunction, type ScoreMod } from "./score-mod.js";

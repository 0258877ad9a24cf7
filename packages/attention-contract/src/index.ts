export {
  callSizes,
  callTensors,
  assertExhaustive,
  mapCall,
  type AttentionCall,
  type AttentionGradients,
  type AttentionKernels,
  type AttentionOutputs,
  type AttentionSaved,
  type TraceName,
} from "./attention-call.js";
export { checkScale } from "./check-scale.js";
export type { Cache, LayerState } from "./cache.js";
export type { EvictionCandidates, EvictionScore } from "./eviction-score.js";
export { evaluator, isUniform, type Evaluator, type ScoreRow } from "./expressions/evaluate.js";
export {
  applyRule,
  call,
  dropoutMask,
  Expr,
  expression,
  lookup,
  operandsOf,
  toExpr,
  type NamedSymbol,
  type NumberFunction,
  type Expression,
  type Operand,
  type ScoreIndices,
  type SymbolName,
  type Step,
} from "./expressions/expression.js";
export { operations, type Operation, type OperationName } from "./expressions/operations.js";
export {
  checkHeads,
  checkKeyValues,
  checkQueryShape,
  checkSinks,
  refuseType,
} from "./key-values/check-key-values.js";
export { floatKeyValues } from "./key-values/float-segments.js";
export { normalizeKeyValues } from "./key-values/normalize-key-values.js";
export type { KeyValues, KeyValueSegment, PagedBlocks } from "./key-values/key-values.js";
export {
  differByHead,
  firstQueryPosition,
  keyLengths,
  keyPositions,
  positionList,
  positionsAfter,
} from "./key-values/positions.js";
export { denseSegment } from "./key-values/dense-segment.js";
export { isPaged, segmentLength } from "./key-values/segments.js";
export { storedPositions } from "./key-values/stored-positions.js";
export { StoredRows } from "./key-values/stored-rows.js";
export type { BoundMask, Extent, Mask, PendingMask, Range, TileClass } from "./mask.js";
export { callPlaces, planFor, type Places } from "./plan-for.js";
export { checkScoreSizes, combineRules, type Rule, type ScoreMod, type ScoreSizes } from "./score-mod.js";
export { pairsRead, seenKeys, tileIndex, tilePlan, type PlanExtent, type TilePlan } from "./tile-plan.js";

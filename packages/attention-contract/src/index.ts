export type { AttentionRequest, BlockLayout, TraceName } from "./attention-request.js";
export type { Cache } from "./cache.js";
export { evaluator, isUniform, type Evaluator, type ScoreRow } from "./expressions/evaluate.js";
export {
  applyRule,
  call,
  Expr,
  expression,
  keep,
  lookup,
  operandsOf,
  toExpr,
  type NamedSymbol,
  type NumberFunction,
  type Expression,
  type Operand,
  type Place,
  type Step,
} from "./expressions/expression.js";
export { sizesOf, sortInputs, storedRows, type AttentionInputs } from "./key-values/attention-inputs.js";
export { densePart, isBlocks, partLength } from "./key-values/blocks.js";
export { checkKeyValues, checkSinks, refuseType } from "./key-values/check-key-values.js";
export { givenKeyValues } from "./key-values/given-key-values.js";
export type { Blocks, KeyValues, Part } from "./key-values/key-values.js";
export { firstQueryOf, keyLengthsOf, keyPositions, positionsAfter } from "./key-values/positions.js";
export { placesOf, storedParts } from "./key-values/stored-parts.js";
export { StoredRows } from "./key-values/stored-rows.js";
export type { BoundMask, Extent, Mask, Range, TileClass } from "./mask.js";
export { pairsRead, seenKeys, tileIndex, tilePlan, type PlanExtent, type TilePlan } from "./tile-plan.js";

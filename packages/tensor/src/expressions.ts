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

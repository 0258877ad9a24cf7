export { evaluator, isUniform, type Evaluator, type ScoreRow } from "./expressions/evaluate.js";
export {
  call,
  Expr,
  expression,
  keep,
  lookup,
  operandsOf,
  toExpr,
  type NumberFunction,
  type Expression,
  type Operand,
  type Place,
  type Step,
} from "./expressions/expression.js";

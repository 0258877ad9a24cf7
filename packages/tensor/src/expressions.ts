export { evaluator, isUniform, type Evaluator, type ScoreRow } from "./expressions/evaluate.js";
export {
  Expr,
  expression,
  lookup,
  operandsOf,
  type Expression,
  type Operand,
  type Place,
  type Step,
} from "./expressions/expression.js";

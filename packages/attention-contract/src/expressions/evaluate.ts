import { sizeOf, stridesOf } from "@qkv/core";
import { philox4x32, seedKey } from "@qkv/tensor/random";
import { operandsOf, type Expr, type Expression } from "./expression.js";
import { operations, type Operation } from "./operations.js";

/** Scores of one query of one batch index and head, for some or all of its keys. */
export type ScoreRow = {
  readonly score: Float64Array;
  /** Positions of the keys; those of this row start at index `firstKey`. */
  readonly key: ArrayLike<number>;
  /** Index in `key` of the first score's key. Default 0. */
  readonly firstKey?: number;
  readonly batch: number;
  readonly head: number;
  readonly query: number;
  /** Number of keys. */
  readonly length: number;
};

/** Evaluates an expression on rows of scores: one loop over the row per step of the expression. */
export type Evaluator = {
  /** Returns the new scores of a row. Valid until the next call. */
  forward(row: ScoreRow): Float64Array;
  /**
   * Returns the gradient with respect to the old scores, given that with respect to the new ones, and adds to the gradients of
   * the tables. Call it after `forward` of the same row. The result is valid until the next call.
   */
  backward(row: ScoreRow, gradient: Float64Array): Float64Array;
  /** Accumulated gradient of each table of the expression, row-major. */
  readonly tableGradients: readonly Float64Array[];
};

/**
 * Makes the reference evaluator of an expression. The kernels of devices are tested against it.
 *
 * @param length - Largest length of a row.
 * @param tableData - Elements of each table, row-major. Default: the data of the tables.
 */
export function evaluator(
  { steps, lookedUp }: Expression<unknown>,
  length: number,
  tableData: readonly ArrayLike<number>[] = lookedUp.map(({ data }) => data),
): Evaluator {
  const index = new Map(steps.map((expr, i) => [expr, i]));
  const values = steps.map(() => new Float64Array(length));
  const stepGradients = steps.map(() => new Float64Array(length));
  const tableOffsets = steps.map(({ step }) => new Int32Array(step.kind === "lookup" ? length : 0));
  const data = new Map(lookedUp.map((table, i) => [table, tableData[i]!]));
  const tableGradients = lookedUp.map((table) => new Float64Array(sizeOf(table.shape)));
  const operands = steps.map(({ step }) => operandsOf(step).map((operand) => index.get(operand)!));
  const inputs = operands.map((ofStep) => ofStep.map((operand) => values[operand]!));
  const scoreGradient = new Float64Array(length);

  return {
    tableGradients,
    forward(row) {
      const n = row.length;
      steps.forEach(({ step }, i) => {
        const out = values[i]!;
        switch (step.kind) {
          case "number":
            out.fill(step.value, 0, n);
            break;
          case "symbol":
            if (step.name === "score") for (let k = 0; k < n; k++) out[k] = row.score[k]!;
            else if (step.name === "key")
              for (let k = 0, s = row.firstKey ?? 0; k < n; k++) out[k] = row.key[s + k]!;
            else out.fill(row[step.name], 0, n);
            break;
          case "operation": {
            const { evaluate } = operations[step.name] as Operation;
            const [a, b = out, c = out] = inputs[i] as [Float64Array, ...Float64Array[]];
            evaluate(n, out, a, b, c);
            break;
          }
          case "lookup": {
            const from = data.get(step.table)!;
            findTableOffsets(tableOffsets[i]!, step.table.shape, inputs[i]!, n);
            for (let k = 0; k < n; k++) out[k] = from[tableOffsets[i]![k]!]!;
            break;
          }
          case "call": {
            const [x, batch, head, query, key] = inputs[i] as ScoreAndIndices;
            for (let k = 0; k < n; k++) out[k] = step.f(x[k]!, batch[k]!, head[k]!, query[k]!, key[k]!);
            break;
          }
          case "dropoutMask": {
            const seed = seedKey("keep", step.seed);
            const [batch, head, query, key] = inputs[i] as IndexValues;
            for (let k = 0; k < n; k++) {
              const [word] = philox4x32([key[k]!, query[k]!, head[k]!, batch[k]!], seed);
              out[k] = word < step.rate * 2 ** 32 ? 0 : 1 / (1 - step.rate);
            }
          }
        }
      });
      return values.at(-1)!;
    },
    backward(row, gradient) {
      const n = row.length;
      for (const stepGradient of stepGradients) stepGradient.fill(0, 0, n);
      scoreGradient.fill(0, 0, n);
      stepGradients.at(-1)!.set(gradient.subarray(0, n));
      for (let i = steps.length - 1; i >= 0; i--) {
        const { step } = steps[i]!;
        const dy = stepGradients[i]!;
        switch (step.kind) {
          case "symbol":
            if (step.name === "score") for (let k = 0; k < n; k++) scoreGradient[k]! += dy[k]!;
            break;
          case "operation": {
            const { gradients } = operations[step.name] as Operation;
            const [a, b = dy, c = dy] = inputs[i] as [Float64Array, ...Float64Array[]];
            const y = values[i]!;
            gradients.forEach((gradient, operand) => {
              gradient?.(n, stepGradients[operands[i]![operand]!]!, dy, y, a, b, c);
            });
            break;
          }
          case "lookup": {
            const to = tableGradients[lookedUp.indexOf(step.table)]!;
            for (let k = 0; k < n; k++) to[tableOffsets[i]![k]!]! += dy[k]!;
            break;
          }
          case "call": {
            const dx = stepGradients[operands[i]![0]!]!;
            const [x, batch, head, query, key] = inputs[i] as ScoreAndIndices;
            for (let k = 0; k < n; k++) {
              if (dy[k] !== 0)
                dx[k]! += dy[k]! * step.derivative(x[k]!, batch[k]!, head[k]!, query[k]!, key[k]!);
            }
          }
        }
      }
      return scoreGradient;
    },
  };
}

/** Score, batch, head, query and key. */
type ScoreAndIndices = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
/** Batch, head, query and key. */
type IndexValues = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Results of {@link isUniform}: an expression may use a step many times, as `x.mul(x)` does. */
const uniformByStep = /* @__PURE__ */ new WeakMap<Expr, boolean>();

/** True for a step with the same value for all keys of a row. Devices compute such steps once per row. */
export function isUniform(expr: Expr): boolean {
  const known = uniformByStep.get(expr);
  if (known !== undefined) return known;
  const { step } = expr;
  const uniform =
    step.kind === "symbol"
      ? step.name !== "score" && step.name !== "key"
      : operandsOf(step).every((operand) => isUniform(operand));
  uniformByStep.set(expr, uniform);
  return uniform;
}

/** Computes the offsets of table elements into `to`. Indices are truncated to integers and clamped to the table. */
function findTableOffsets(
  to: Int32Array,
  shape: readonly number[],
  indices: readonly Float64Array[],
  n: number,
): void {
  const strides = stridesOf(shape);
  to.fill(0, 0, n);
  indices.forEach((values, axis) => {
    const last = shape[axis]! - 1;
    const stride = strides[axis]!;
    for (let k = 0; k < n; k++) to[k]! += stride * Math.min(last, Math.max(0, Math.trunc(values[k]!)));
  });
}

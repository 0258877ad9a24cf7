import { sizeOf, stridesOf } from "@qkv/core";
import { philox4x32, seedKey } from "@qkv/tensor/random";
import { operandsOf, type BinaryName, type Expr, type Expression, type UnaryName } from "./expression.js";

/** A stretch of one row of scores: one batch, head and query, and some keys. */
export type ScoreRow = {
  readonly score: Float64Array;
  /** Positions of the keys, from `firstKey` on. */
  readonly key: ArrayLike<number>;
  /** Which of `key` is the first of the row. Default 0. */
  readonly firstKey?: number;
  readonly batch: number;
  readonly head: number;
  readonly query: number;
  /** How many keys. */
  readonly length: number;
};

/** Runs an expression over rows of scores, step by step, each step a loop over the row. */
export type Evaluator = {
  /** The new scores of a row. Valid until the next call. */
  forward(row: ScoreRow): Float64Array;
  /**
   * After `forward` of the same row: turns the gradient of the new scores into that of the old ones, and adds to the
   * gradients of the tables. Valid until the next call.
   */
  backward(row: ScoreRow, gradient: Float64Array): Float64Array;
  /** For each table of the expression, the gradient so far, packed. */
  readonly tableGradients: readonly Float64Array[];
};

/**
 * Makes the plain evaluator of an expression: the specification of what devices do with it.
 *
 * @param length - The longest row.
 * @param tableData - The numbers of each table, row-major. Default: the tables' own.
 */
export function evaluator(
  { steps, lookedUp }: Expression<unknown>,
  length: number,
  tableData: readonly ArrayLike<number>[] = lookedUp.map(({ data }) => data),
): Evaluator {
  const index = new Map(steps.map((expr, i) => [expr, i]));
  const values = steps.map(() => new Float64Array(length));
  const slopes = steps.map(() => new Float64Array(length));
  const places = steps.map(({ step }) => new Int32Array(step.kind === "lookup" ? length : 0));
  const data = new Map(lookedUp.map((table, i) => [table, tableData[i]!]));
  const tableGradients = lookedUp.map((table) => new Float64Array(sizeOf(table.shape)));
  const valueOf = (expr: Expr) => values[index.get(expr)!]!;
  const slopeOf = (expr: Expr) => slopes[index.get(expr)!]!;
  const scoreSlope = new Float64Array(length);

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
          case "unary":
            unary(step.name, out, valueOf(step.x), n);
            break;
          case "binary":
            binary(step.name, out, valueOf(step.a), valueOf(step.b), n);
            break;
          case "where": {
            const [condition, a, b] = [valueOf(step.condition), valueOf(step.a), valueOf(step.b)];
            for (let k = 0; k < n; k++) out[k] = condition[k] !== 0 ? a[k]! : b[k]!;
            break;
          }
          case "lookup": {
            const from = data.get(step.table)!;
            findPlaces(places[i]!, step.table.shape, step.indices.map(valueOf), n);
            for (let k = 0; k < n; k++) out[k] = from[places[i]![k]!]!;
            break;
          }
          case "call": {
            const [x, batch, head, query, key] = operandsOf(step).map(valueOf) as Five;
            for (let k = 0; k < n; k++) out[k] = step.f(x[k]!, batch[k]!, head[k]!, query[k]!, key[k]!);
            break;
          }
          case "keep": {
            const seed = seedKey("keep", step.seed);
            const [batch, head, query, key] = operandsOf(step).map(valueOf) as Four;
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
      for (const slope of slopes) slope.fill(0, 0, n);
      scoreSlope.fill(0, 0, n);
      slopes.at(-1)!.set(gradient.subarray(0, n));
      for (let i = steps.length - 1; i >= 0; i--) {
        const { step } = steps[i]!;
        const dy = slopes[i]!;
        switch (step.kind) {
          case "symbol":
            if (step.name === "score") for (let k = 0; k < n; k++) scoreSlope[k]! += dy[k]!;
            break;
          case "unary":
            unaryBackward(step.name, slopeOf(step.x), dy, valueOf(step.x), values[i]!, n);
            break;
          case "binary":
            binaryBackward(
              step.name,
              slopeOf(step.a),
              slopeOf(step.b),
              dy,
              valueOf(step.a),
              valueOf(step.b),
              n,
            );
            break;
          case "where": {
            const [condition, da, db] = [valueOf(step.condition), slopeOf(step.a), slopeOf(step.b)];
            for (let k = 0; k < n; k++) {
              if (condition[k] !== 0) da[k]! += dy[k]!;
              else db[k]! += dy[k]!;
            }
            break;
          }
          case "lookup": {
            const to = tableGradients[lookedUp.indexOf(step.table)]!;
            for (let k = 0; k < n; k++) to[places[i]![k]!]! += dy[k]!;
            break;
          }
          case "call": {
            const dx = slopeOf(step.x);
            const [x, batch, head, query, key] = operandsOf(step).map(valueOf) as Five;
            for (let k = 0; k < n; k++) {
              if (dy[k] !== 0)
                dx[k]! += dy[k]! * step.derivative(x[k]!, batch[k]!, head[k]!, query[k]!, key[k]!);
            }
          }
        }
      }
      return scoreSlope;
    },
  };
}

type Five = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Whether a step is the same for all keys of a row. Devices compute such steps once. */
export function isUniform(expr: Expr): boolean {
  const { step } = expr;
  if (step.kind === "symbol") return step.name !== "score" && step.name !== "key";
  return operandsOf(step).every(isUniform);
}

function findPlaces(
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

function unary(name: UnaryName, out: Float64Array, x: Float64Array, n: number): void {
  switch (name) {
    case "neg":
      for (let k = 0; k < n; k++) out[k] = -x[k]!;
      return;
    case "abs":
      for (let k = 0; k < n; k++) out[k] = Math.abs(x[k]!);
      return;
    case "exp":
      for (let k = 0; k < n; k++) out[k] = Math.exp(x[k]!);
      return;
    case "log":
      for (let k = 0; k < n; k++) out[k] = Math.log(x[k]!);
      return;
    case "tanh":
      for (let k = 0; k < n; k++) out[k] = Math.tanh(x[k]!);
      return;
    case "sqrt":
      for (let k = 0; k < n; k++) out[k] = Math.sqrt(x[k]!);
      return;
    case "floor":
      for (let k = 0; k < n; k++) out[k] = Math.floor(x[k]!);
      return;
    case "not":
      for (let k = 0; k < n; k++) out[k] = x[k] === 0 ? 1 : 0;
  }
}

function unaryBackward(
  name: UnaryName,
  dx: Float64Array,
  dy: Float64Array,
  x: Float64Array,
  y: Float64Array,
  n: number,
): void {
  switch (name) {
    case "neg":
      for (let k = 0; k < n; k++) dx[k]! -= dy[k]!;
      return;
    case "abs":
      for (let k = 0; k < n; k++) dx[k]! += Math.sign(x[k]!) * dy[k]!;
      return;
    case "exp":
      for (let k = 0; k < n; k++) dx[k]! += y[k]! * dy[k]!;
      return;
    case "log":
      for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! += dy[k]! / x[k]!;
      return;
    case "tanh":
      for (let k = 0; k < n; k++) dx[k]! += (1 - y[k]! * y[k]!) * dy[k]!;
      return;
    case "sqrt":
      for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! += dy[k]! / (2 * y[k]!);
  }
  // floor and not are flat wherever they have a slope.
}

function binary(name: BinaryName, out: Float64Array, a: Float64Array, b: Float64Array, n: number): void {
  switch (name) {
    case "add":
      for (let k = 0; k < n; k++) out[k] = a[k]! + b[k]!;
      return;
    case "sub":
      for (let k = 0; k < n; k++) out[k] = a[k]! - b[k]!;
      return;
    case "mul":
      for (let k = 0; k < n; k++) out[k] = a[k]! * b[k]!;
      return;
    case "div":
      for (let k = 0; k < n; k++) out[k] = a[k]! / b[k]!;
      return;
    case "min":
      for (let k = 0; k < n; k++) out[k] = Math.min(a[k]!, b[k]!);
      return;
    case "max":
      for (let k = 0; k < n; k++) out[k] = Math.max(a[k]!, b[k]!);
      return;
    case "pow":
      for (let k = 0; k < n; k++) out[k] = a[k]! ** b[k]!;
      return;
    case "less":
      for (let k = 0; k < n; k++) out[k] = a[k]! < b[k]! ? 1 : 0;
      return;
    case "lessEqual":
      for (let k = 0; k < n; k++) out[k] = a[k]! <= b[k]! ? 1 : 0;
      return;
    case "greater":
      for (let k = 0; k < n; k++) out[k] = a[k]! > b[k]! ? 1 : 0;
      return;
    case "greaterEqual":
      for (let k = 0; k < n; k++) out[k] = a[k]! >= b[k]! ? 1 : 0;
      return;
    case "equal":
      for (let k = 0; k < n; k++) out[k] = a[k]! === b[k]! ? 1 : 0;
      return;
    case "and":
      for (let k = 0; k < n; k++) out[k] = a[k] !== 0 && b[k] !== 0 ? 1 : 0;
      return;
    case "or":
      for (let k = 0; k < n; k++) out[k] = a[k] !== 0 || b[k] !== 0 ? 1 : 0;
  }
}

function binaryBackward(
  name: BinaryName,
  da: Float64Array,
  db: Float64Array,
  dy: Float64Array,
  a: Float64Array,
  b: Float64Array,
  n: number,
): void {
  switch (name) {
    case "add":
      for (let k = 0; k < n; k++) {
        da[k]! += dy[k]!;
        db[k]! += dy[k]!;
      }
      return;
    case "sub":
      for (let k = 0; k < n; k++) {
        da[k]! += dy[k]!;
        db[k]! -= dy[k]!;
      }
      return;
    case "mul":
      for (let k = 0; k < n; k++) {
        da[k]! += b[k]! * dy[k]!;
        db[k]! += a[k]! * dy[k]!;
      }
      return;
    case "div":
      for (let k = 0; k < n; k++) {
        if (dy[k] === 0) continue;
        da[k]! += dy[k]! / b[k]!;
        db[k]! -= (dy[k]! * a[k]!) / (b[k]! * b[k]!);
      }
      return;
    case "min":
    case "max":
      // Of equal numbers the first one is taken.
      for (let k = 0; k < n; k++) {
        const first = name === "min" ? a[k]! <= b[k]! : a[k]! >= b[k]!;
        if (first) da[k]! += dy[k]!;
        else db[k]! += dy[k]!;
      }
      return;
    case "pow":
      for (let k = 0; k < n; k++) {
        if (dy[k] === 0) continue;
        da[k]! += dy[k]! * b[k]! * a[k]! ** (b[k]! - 1);
        if (a[k]! > 0) db[k]! += dy[k]! * a[k]! ** b[k]! * Math.log(a[k]!);
      }
  }
  // Comparisons are flat wherever they have a slope.
}

/** What an operation of an expression is: the specification of what devices do for it. Truth is 1, falsehood 0. */
export type Operation = {
  /** Number of operands. */
  readonly arity: 1 | 2 | 3;
  evaluate(a: number, b: number, c: number): number;
  /**
   * The gradient of each operand, from the gradient and the value of the result, and the operands. Absent where the
   * operation is flat wherever it has a slope.
   */
  readonly gradients: readonly (Gradient | undefined)[];
  /** Gives 1 or 0, which is no score. */
  readonly logical?: true;
};

type Gradient = (dy: number, y: number, a: number, b: number, c: number) => number;

const logical = (arity: 1 | 2, test: (a: number, b: number) => boolean) =>
  ({
    arity,
    evaluate: (a: number, b: number) => (test(a, b) ? 1 : 0),
    gradients: [],
    logical: true,
  }) as const;

// A slope may be infinite where no gradient arrives: 0 · ∞ must not become one.
/** Operations of expressions by name. Devices hold a table with an entry for each. */
export const operations = {
  neg: { arity: 1, evaluate: (x) => -x, gradients: [(dy) => -dy] },
  abs: { arity: 1, evaluate: Math.abs, gradients: [(dy, _y, x) => Math.sign(x) * dy] },
  exp: { arity: 1, evaluate: Math.exp, gradients: [(dy, y) => y * dy] },
  log: { arity: 1, evaluate: Math.log, gradients: [(dy, _y, x) => (dy === 0 ? 0 : dy / x)] },
  tanh: { arity: 1, evaluate: Math.tanh, gradients: [(dy, y) => (1 - y * y) * dy] },
  sqrt: { arity: 1, evaluate: Math.sqrt, gradients: [(dy, y) => (dy === 0 ? 0 : dy / (2 * y))] },
  floor: { arity: 1, evaluate: Math.floor, gradients: [] },
  not: logical(1, (x) => x === 0),
  add: { arity: 2, evaluate: (a, b) => a + b, gradients: [(dy) => dy, (dy) => dy] },
  sub: { arity: 2, evaluate: (a, b) => a - b, gradients: [(dy) => dy, (dy) => -dy] },
  mul: {
    arity: 2,
    evaluate: (a, b) => a * b,
    gradients: [(dy, _y, _a, b) => b * dy, (dy, _y, a) => a * dy],
  },
  div: {
    arity: 2,
    evaluate: (a, b) => a / b,
    gradients: [
      (dy, _y, _a, b) => (dy === 0 ? 0 : dy / b),
      (dy, _y, a, b) => (dy === 0 ? 0 : -(dy * a) / (b * b)),
    ],
  },
  // Of equal numbers the first one is taken.
  min: {
    arity: 2,
    evaluate: (a, b) => Math.min(a, b),
    gradients: [(dy, _y, a, b) => (a <= b ? dy : 0), (dy, _y, a, b) => (a <= b ? 0 : dy)],
  },
  max: {
    arity: 2,
    evaluate: (a, b) => Math.max(a, b),
    gradients: [(dy, _y, a, b) => (a >= b ? dy : 0), (dy, _y, a, b) => (a >= b ? 0 : dy)],
  },
  pow: {
    arity: 2,
    evaluate: (a, b) => a ** b,
    gradients: [
      (dy, _y, a, b) => (dy === 0 ? 0 : dy * b * a ** (b - 1)),
      (dy, y, a) => (dy === 0 || !(a > 0) ? 0 : dy * y * Math.log(a)),
    ],
  },
  less: logical(2, (a, b) => a < b),
  lessEqual: logical(2, (a, b) => a <= b),
  greater: logical(2, (a, b) => a > b),
  greaterEqual: logical(2, (a, b) => a >= b),
  equal: logical(2, (a, b) => a === b),
  and: logical(2, (a, b) => a !== 0 && b !== 0),
  or: logical(2, (a, b) => a !== 0 || b !== 0),
  // The second operand where the first is not 0, else the third.
  where: {
    arity: 3,
    evaluate: (condition, a, b) => (condition !== 0 ? a : b),
    gradients: [
      undefined,
      (dy, _y, condition) => (condition !== 0 ? dy : 0),
      (dy, _y, condition) => (condition !== 0 ? 0 : dy),
    ],
  },
} satisfies { readonly [name: string]: Operation };

export type OperationName = keyof typeof operations;

type Row = Float64Array;

/**
 * An operation of an expression: the specification for the implementations of devices. It processes rows of n numbers, since one
 * call per number would allocate each result on the heap. True is 1, false is 0.
 */
export type Operation = {
  /** Number of operands. */
  readonly arity: 1 | 2 | 3;
  /** Computes y = f(a, b, c), element by element. */
  evaluate(n: number, y: Row, a: Row, b: Row, c: Row): void;
  /**
   * One function per operand, which adds to its gradient dx, given the gradient dy and the value y of the result, and the
   * operands. Undefined if the derivative is 0 wherever it exists. Where dy is 0, nothing is added, even if the derivative is
   * infinite.
   */
  readonly gradients: readonly (Gradient | undefined)[];
};

type Gradient = (n: number, dx: Row, dy: Row, y: Row, a: Row, b: Row, c: Row) => void;

const pass: Gradient = (n, dx, dy) => {
  for (let k = 0; k < n; k++) dx[k]! += dy[k]!;
};

/** Operations of expressions by name. Each device implements all of them. */
export const operations = {
  neg: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = -a[k]!;
    },
    gradients: [
      (n, dx, dy) => {
        for (let k = 0; k < n; k++) dx[k]! -= dy[k]!;
      },
    ],
  },
  abs: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = Math.abs(a[k]!);
    },
    gradients: [
      (n, dx, dy, _y, a) => {
        for (let k = 0; k < n; k++) dx[k]! += Math.sign(a[k]!) * dy[k]!;
      },
    ],
  },
  exp: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = Math.exp(a[k]!);
    },
    gradients: [
      (n, dx, dy, y) => {
        for (let k = 0; k < n; k++) dx[k]! += y[k]! * dy[k]!;
      },
    ],
  },
  log: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = Math.log(a[k]!);
    },
    gradients: [
      (n, dx, dy, _y, a) => {
        for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! += dy[k]! / a[k]!;
      },
    ],
  },
  tanh: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = Math.tanh(a[k]!);
    },
    gradients: [
      (n, dx, dy, y) => {
        for (let k = 0; k < n; k++) dx[k]! += (1 - y[k]! * y[k]!) * dy[k]!;
      },
    ],
  },
  sqrt: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = Math.sqrt(a[k]!);
    },
    gradients: [
      (n, dx, dy, y) => {
        for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! += dy[k]! / (2 * y[k]!);
      },
    ],
  },
  floor: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = Math.floor(a[k]!);
    },
    gradients: [],
  },
  not: {
    arity: 1,
    evaluate(n, y, a) {
      for (let k = 0; k < n; k++) y[k] = a[k] === 0 ? 1 : 0;
    },
    gradients: [],
  },
  add: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! + b[k]!;
    },
    gradients: [pass, pass],
  },
  sub: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! - b[k]!;
    },
    gradients: [
      pass,
      (n, dx, dy) => {
        for (let k = 0; k < n; k++) dx[k]! -= dy[k]!;
      },
    ],
  },
  mul: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! * b[k]!;
    },
    gradients: [
      (n, dx, dy, _y, _a, b) => {
        for (let k = 0; k < n; k++) dx[k]! += b[k]! * dy[k]!;
      },
      (n, dx, dy, _y, a) => {
        for (let k = 0; k < n; k++) dx[k]! += a[k]! * dy[k]!;
      },
    ],
  },
  div: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! / b[k]!;
    },
    gradients: [
      (n, dx, dy, _y, _a, b) => {
        for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! += dy[k]! / b[k]!;
      },
      (n, dx, dy, _y, a, b) => {
        for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! -= (dy[k]! * a[k]!) / (b[k]! * b[k]!);
      },
    ],
  },
  // If both are equal, the gradient goes to the first operand.
  min: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = Math.min(a[k]!, b[k]!);
    },
    gradients: [
      (n, dx, dy, _y, a, b) => {
        for (let k = 0; k < n; k++) if (a[k]! <= b[k]!) dx[k]! += dy[k]!;
      },
      (n, dx, dy, _y, a, b) => {
        for (let k = 0; k < n; k++) if (!(a[k]! <= b[k]!)) dx[k]! += dy[k]!;
      },
    ],
  },
  max: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = Math.max(a[k]!, b[k]!);
    },
    gradients: [
      (n, dx, dy, _y, a, b) => {
        for (let k = 0; k < n; k++) if (a[k]! >= b[k]!) dx[k]! += dy[k]!;
      },
      (n, dx, dy, _y, a, b) => {
        for (let k = 0; k < n; k++) if (!(a[k]! >= b[k]!)) dx[k]! += dy[k]!;
      },
    ],
  },
  pow: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! ** b[k]!;
    },
    gradients: [
      (n, dx, dy, _y, a, b) => {
        for (let k = 0; k < n; k++) if (dy[k] !== 0) dx[k]! += dy[k]! * b[k]! * a[k]! ** (b[k]! - 1);
      },
      (n, dx, dy, y, a) => {
        for (let k = 0; k < n; k++) if (dy[k] !== 0 && a[k]! > 0) dx[k]! += dy[k]! * y[k]! * Math.log(a[k]!);
      },
    ],
  },
  less: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! < b[k]! ? 1 : 0;
    },
    gradients: [],
  },
  lessEqual: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! <= b[k]! ? 1 : 0;
    },
    gradients: [],
  },
  greater: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! > b[k]! ? 1 : 0;
    },
    gradients: [],
  },
  greaterEqual: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k]! >= b[k]! ? 1 : 0;
    },
    gradients: [],
  },
  equal: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k] === b[k] ? 1 : 0;
    },
    gradients: [],
  },
  and: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k] !== 0 && b[k] !== 0 ? 1 : 0;
    },
    gradients: [],
  },
  or: {
    arity: 2,
    evaluate(n, y, a, b) {
      for (let k = 0; k < n; k++) y[k] = a[k] !== 0 || b[k] !== 0 ? 1 : 0;
    },
    gradients: [],
  },
  // The second operand where the first is not 0, else the third.
  where: {
    arity: 3,
    evaluate(n, y, condition, a, b) {
      for (let k = 0; k < n; k++) y[k] = condition[k] !== 0 ? a[k]! : b[k]!;
    },
    gradients: [
      undefined,
      (n, dx, dy, _y, condition) => {
        for (let k = 0; k < n; k++) if (condition[k] !== 0) dx[k]! += dy[k]!;
      },
      (n, dx, dy, _y, condition) => {
        for (let k = 0; k < n; k++) if (condition[k] === 0) dx[k]! += dy[k]!;
      },
    ],
  },
} satisfies { readonly [name: string]: Operation };

export type OperationName = keyof typeof operations;

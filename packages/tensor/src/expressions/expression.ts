import { ArgumentError, isFloat } from "@qkv/core";
import { isTensor, type Tensor } from "../tensor.js";

/** What an expression is computed from: the score, and where in the attention it stands. */
export type SymbolName = "score" | "batch" | "head" | "query" | "key";

export type UnaryName = "neg" | "abs" | "exp" | "log" | "tanh" | "sqrt" | "floor" | "not";
export type BinaryName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "min"
  | "max"
  | "pow"
  | "less"
  | "lessEqual"
  | "greater"
  | "greaterEqual"
  | "equal"
  | "and"
  | "or";

/** One step of an expression. Operands are steps too. */
export type Step =
  | { readonly kind: "symbol"; readonly name: SymbolName }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "unary"; readonly name: UnaryName; readonly x: Expr }
  | { readonly kind: "binary"; readonly name: BinaryName; readonly a: Expr; readonly b: Expr }
  | { readonly kind: "where"; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  | { readonly kind: "lookup"; readonly table: Tensor; readonly indices: readonly Expr[] }
  | {
      readonly kind: "call";
      readonly x: Expr;
      readonly at: Place;
      readonly f: NumberFunction;
      readonly derivative: NumberFunction;
    }
  | { readonly kind: "keep"; readonly at: Place; readonly rate: number; readonly seed: number };

/** A function of numbers: of a score and where it stands. */
export type NumberFunction = (x: number, batch: number, head: number, query: number, key: number) => number;

/** A symbolic number, or a number that stands for itself. */
export type Operand = Expr | number;

/**
 * A symbolic number: its methods note what is to be computed instead of computing it. Comparisons give 1 for true
 * and 0 for false.
 */
export class Expr {
  constructor(readonly step: Step) {}

  add(b: Operand): Expr {
    return this.#binary("add", b);
  }
  sub(b: Operand): Expr {
    return this.#binary("sub", b);
  }
  mul(b: Operand): Expr {
    return this.#binary("mul", b);
  }
  div(b: Operand): Expr {
    return this.#binary("div", b);
  }
  min(b: Operand): Expr {
    return this.#binary("min", b);
  }
  max(b: Operand): Expr {
    return this.#binary("max", b);
  }
  /** This to the power of b. */
  pow(b: Operand): Expr {
    return this.#binary("pow", b);
  }
  less(b: Operand): Expr {
    return this.#binary("less", b);
  }
  lessEqual(b: Operand): Expr {
    return this.#binary("lessEqual", b);
  }
  greater(b: Operand): Expr {
    return this.#binary("greater", b);
  }
  greaterEqual(b: Operand): Expr {
    return this.#binary("greaterEqual", b);
  }
  equal(b: Operand): Expr {
    return this.#binary("equal", b);
  }
  /** 1 where both are not 0. */
  and(b: Operand): Expr {
    return this.#binary("and", b);
  }
  /** 1 where one of both is not 0. */
  or(b: Operand): Expr {
    return this.#binary("or", b);
  }
  /** 1 where this is 0. */
  not(): Expr {
    return this.#unary("not");
  }
  neg(): Expr {
    return this.#unary("neg");
  }
  abs(): Expr {
    return this.#unary("abs");
  }
  exp(): Expr {
    return this.#unary("exp");
  }
  log(): Expr {
    return this.#unary("log");
  }
  tanh(): Expr {
    return this.#unary("tanh");
  }
  sqrt(): Expr {
    return this.#unary("sqrt");
  }
  floor(): Expr {
    return this.#unary("floor");
  }
  /** `a` where this is not 0, else `b`. Both are computed; only the chosen one counts, and has a gradient. */
  where(a: Operand, b: Operand): Expr {
    return new Expr({ kind: "where", condition: this, a: toExpr(a), b: toExpr(b) });
  }

  #unary(name: UnaryName): Expr {
    return new Expr({ kind: "unary", name, x: this });
  }
  #binary(name: BinaryName, b: Operand): Expr {
    return new Expr({ kind: "binary", name, a: this, b: toExpr(b) });
  }
}

/**
 * A number of a small tensor, looked up by symbols: a slope per head, a bias per distance. Indices are cut to whole
 * numbers and to the tensor's ends. Gradients flow to the tensor.
 *
 * @param table - Floats, one axis for each index.
 */
export function lookup(table: Tensor, ...indices: readonly Operand[]): Expr {
  if (
    !isTensor(table) ||
    !isFloat(table.dtype) ||
    table.shape.length !== indices.length ||
    table.shape.includes(0)
  ) {
    throw new ArgumentError({
      fn: "lookup",
      argument: "table",
      received: isTensor(table) ? table.shape : table,
      expected: `a tensor of floats with an axis for each of the ${indices.length} indices`,
      fix: "reshape the tensor, or give an index for each of its axes.",
    });
  }
  return new Expr({ kind: "lookup", table, indices: indices.map(toExpr) });
}

/**
 * Any function of numbers, for what the methods of {@link Expr} cannot say. Host devices only.
 *
 * @param derivative - The slope of `f` in its first argument.
 */
export function call(x: Expr, at: Place, f: NumberFunction, derivative: NumberFunction): Expr {
  return new Expr({ kind: "call", x, at, f, derivative });
}

/**
 * The factor of inverted dropout: 0 with probability `rate`, else `1 / (1 − rate)`, drawn anew for each place from
 * the Philox generator, so that it is the same on every device and however the work is cut.
 *
 * @param rate - From 0 to below 1.
 * @param seed - A whole number.
 */
export function keep(at: Place, rate: number, seed: number): Expr {
  return new Expr({ kind: "keep", at, rate, seed });
}

/** Where a score stands: which batch and head, and the absolute positions of query and key. */
export type Place = Readonly<Record<Exclude<SymbolName, "score">, Expr>>;

/** A recorded expression: its steps in an order in which each comes after what it needs, the result last. */
export type Expression = {
  readonly steps: readonly Expr[];
  /** The tensors that it looks up, each once. */
  readonly tables: readonly Tensor[];
};

/**
 * Records a function of symbols. It is called once; its arithmetic is noted and can be run by any device.
 *
 * @param f - Gets the score and its place, returns the new score.
 *
 * @example
 * ```ts
 * import { expression } from "@qkv/tensor/expressions";
 *
 * const alibi = expression((score, at) => score.sub(at.query.sub(at.key).mul(0.5)));
 * alibi.steps.length; // => 7
 * ```
 */
export function expression(f: (score: Expr, at: Place) => Operand): Expression {
  const symbol = (name: SymbolName) => new Expr({ kind: "symbol", name });
  const at = { batch: symbol("batch"), head: symbol("head"), query: symbol("query"), key: symbol("key") };
  const steps: Expr[] = [];
  const seen = new Set<Expr>();
  const tables = new Set<Tensor>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    operandsOf(expr.step).forEach(visit);
    if (expr.step.kind === "lookup") tables.add(expr.step.table);
    steps.push(expr);
  };
  visit(toExpr(f(symbol("score"), at)));
  return { steps, tables: [...tables] };
}

/** The steps that a step needs. */
export function operandsOf(step: Step): readonly Expr[] {
  switch (step.kind) {
    case "unary":
      return [step.x];
    case "binary":
      return [step.a, step.b];
    case "where":
      return [step.condition, step.a, step.b];
    case "lookup":
      return step.indices;
    case "call":
      return [step.x, step.at.batch, step.at.head, step.at.query, step.at.key];
    case "keep":
      return [step.at.batch, step.at.head, step.at.query, step.at.key];
    default:
      return [];
  }
}

/** A number as a symbolic number; a symbolic number as it is. */
export function toExpr(value: Operand): Expr {
  if (value instanceof Expr) return value;
  if (typeof value === "number") return new Expr({ kind: "number", value });
  throw new ArgumentError({
    fn: "expression",
    argument: "operand",
    received: value,
    expected: "a symbolic number or a number",
    fix: "use the methods of the symbols (`score.add(1)`), not operators, and `lookup(table, at.head)` for tensors.",
  });
}

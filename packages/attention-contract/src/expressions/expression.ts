import { checks, isFloat, refuse } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";
import type { OperationName } from "./operations.js";

/** Inputs of an expression: the score, its batch and head index, and the positions of its query and key. */
export type SymbolName = "score" | "batch" | "head" | "query" | "key";

/** One step of an expression. Its operands are results of other steps. */
export type Step =
  | { readonly kind: "symbol"; readonly name: SymbolName }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "operation"; readonly name: OperationName; readonly operands: readonly Expr[] }
  | { readonly kind: "lookup"; readonly table: Tensor; readonly indices: readonly Expr[] }
  | {
      readonly kind: "call";
      readonly x: Expr;
      readonly at: ScoreIndices;
      readonly f: NumberFunction;
      readonly derivative: NumberFunction;
    }
  | { readonly kind: "dropoutMask"; readonly at: ScoreIndices; readonly rate: number; readonly seed: number };

/** A JavaScript function of a score, its batch and head index, and the positions of its query and key. */
export type NumberFunction = (x: number, batch: number, head: number, query: number, key: number) => number;

/** A symbolic number, or a constant. */
export type Operand = Expr | number;

/** State while a rule is called and its steps are recorded: the name for errors, and all steps, to find unused ones. */
type Recording = {
  readonly fn: string;
  readonly argument: string;
  /** Steps created during the call. */
  readonly created: Set<Expr>;
  /** Symbols of {@link ScoreIndices} that the rule has read. */
  readonly read: Set<Expr>;
};

let recording: Recording | undefined;

/**
 * A symbolic number: its methods record operations instead of computing them. Comparisons give 1 for true and 0 for false.
 * JavaScript operators do not work on it, and throw an error.
 */
export class Expr {
  constructor(readonly step: Step) {
    if (step.kind !== "symbol") recording?.created.add(this);
  }

  /** Refuses the conversion to a plain value, which operators (`-`, `>=`), functions (`Math.abs`), strings and indices request. */
  [Symbol.toPrimitive](hint: string): never {
    refuseMisuse(
      `${toCode(this)} as a JavaScript ${hint === "string" ? "text or index" : "number"}`,
      "arithmetic by the methods of symbolic numbers",
      "write `score.sub(1)` for `-`, `at.query.greaterEqual(at.key)` for `>=`, `score.abs()` for `Math.abs(score)`, `condition.where(a, b)` for `? :`, and `lookup(table, at.head)` for `table[at.head]`.",
    );
  }

  add(b: Operand): Expr {
    return this.#apply("add", b);
  }
  sub(b: Operand): Expr {
    return this.#apply("sub", b);
  }
  mul(b: Operand): Expr {
    return this.#apply("mul", b);
  }
  div(b: Operand): Expr {
    return this.#apply("div", b);
  }
  min(b: Operand): Expr {
    return this.#apply("min", b);
  }
  max(b: Operand): Expr {
    return this.#apply("max", b);
  }
  /** This to the power of b. */
  pow(b: Operand): Expr {
    return this.#apply("pow", b);
  }
  less(b: Operand): Expr {
    return this.#apply("less", b);
  }
  lessEqual(b: Operand): Expr {
    return this.#apply("lessEqual", b);
  }
  greater(b: Operand): Expr {
    return this.#apply("greater", b);
  }
  greaterEqual(b: Operand): Expr {
    return this.#apply("greaterEqual", b);
  }
  equal(b: Operand): Expr {
    return this.#apply("equal", b);
  }
  /** 1 where both are not 0. */
  and(b: Operand): Expr {
    return this.#apply("and", b);
  }
  /** 1 where either is not 0. */
  or(b: Operand): Expr {
    return this.#apply("or", b);
  }
  /** 1 where this is 0. */
  not(): Expr {
    return this.#apply("not");
  }
  neg(): Expr {
    return this.#apply("neg");
  }
  abs(): Expr {
    return this.#apply("abs");
  }
  exp(): Expr {
    return this.#apply("exp");
  }
  log(): Expr {
    return this.#apply("log");
  }
  tanh(): Expr {
    return this.#apply("tanh");
  }
  sqrt(): Expr {
    return this.#apply("sqrt");
  }
  floor(): Expr {
    return this.#apply("floor");
  }
  /**
   * `a` if this is not 0, else `b`. Both are computed; only the selected one gives the value and receives a gradient.
   */
  where(a: Operand, b: Operand): Expr {
    return this.#apply("where", a, b);
  }

  #apply(name: OperationName, ...others: readonly Operand[]): Expr {
    return new Expr({ kind: "operation", name, operands: [this, ...others.map((other) => toExpr(other))] });
  }
}

/**
 * An element of a small tensor, with symbols as indices: a slope per head, a bias per distance. Indices are truncated
 * to integers and clamped to the tensor's range. Gradients flow to the tensor.
 *
 * @param table - A float tensor with one axis per index.
 */
export function lookup(table: Tensor, ...indices: readonly Operand[]): Expr {
  if (
    !isTensor(table) ||
    !isFloat(table.dtype) ||
    table.shape.length !== indices.length ||
    table.shape.includes(0)
  ) {
    refuse(
      "lookup",
      "table",
      table,
      `a tensor of floats with an axis for each of the ${indices.length} indices`,
      "reshape the tensor, or give an index for each of its axes.",
    );
  }
  return new Expr({
    kind: "lookup",
    table,
    indices: indices.map((index) => toExpr(index, "lookup", "indices")),
  });
}

/**
 * Calls a JavaScript function of numbers, for computations that the methods of {@link Expr} cannot express. Devices with host
 * memory only.
 *
 * @param derivative - The derivative of `f` with respect to its first argument.
 */
export function call(x: Expr, at: ScoreIndices, f: NumberFunction, derivative: NumberFunction): Expr {
  return new Expr({ kind: "call", x, at, f, derivative });
}

/**
 * The mask of inverted dropout: 0 with probability `rate`, else `1 / (1 − rate)`. It is drawn by the counter-based generator
 * Philox from batch, head, query and key, so it is the same on every device and for every tile size.
 *
 * @param rate - From 0 to 1 − 2⁻³².
 * @param seed - An integer.
 */
export function dropoutMask(at: ScoreIndices, rate: number, seed: number): Expr {
  return new Expr({ kind: "dropoutMask", at, rate, seed });
}

/** A symbol with its name in its type, so that comparing two of them, as in `at.query >= at.key`, does not compile. */
export type NamedSymbol<Name extends SymbolName> = Expr & {
  readonly step: { readonly kind: "symbol"; readonly name: Name };
};

/** Indices of a score: its batch and head, and the absolute positions of its query and key. */
export type ScoreIndices = { readonly [Name in Exclude<SymbolName, "score">]: NamedSymbol<Name> };

/** A recorded expression: its steps in topological order, each after its operands and the result last. */
export type Expression<T = Tensor> = {
  readonly steps: readonly Expr[];
  /** The distinct tensors that its lookups read. */
  readonly lookedUp: readonly Tensor[];
  /** The data of each of these: the tensor itself, a row-major copy, or a kernel's view. */
  readonly tables: readonly T[];
};

/**
 * Records a function of symbols. The function is called once; any device can then evaluate the recorded operations.
 *
 * @param f - Receives the score and its indices, and returns the new score.
 * @throws {ArgumentError} If `f` uses symbols as plain values, or records steps that its result does not use.
 *
 * @example
 * ```ts
 * import { expression } from "@qkv/attention-contract";
 *
 * const alibi = expression((score, at) => score.sub(at.query.sub(at.key).mul(0.5)));
 * alibi.steps.length; // => 7
 * ```
 */
export function expression(f: (score: Expr, at: ScoreIndices) => Operand): Expression {
  checks("expression").type({ f }, "function");
  const score = new Expr({ kind: "symbol", name: "score" });
  const at = {} as ScoreIndices;
  for (const name of ["batch", "head", "query", "key"] as const) {
    const symbol = new Expr({ kind: "symbol", name });
    Object.defineProperty(at, name, {
      enumerable: true,
      get() {
        recording?.read.add(symbol);
        return symbol;
      },
    });
  }
  const steps = stepsOf(record("expression", "f", () => f(score, at)));
  const lookups = steps.flatMap(({ step }) => (step.kind === "lookup" ? [step.table] : []));
  const lookedUp = [...new Set(lookups)];
  return { steps, lookedUp, tables: lookedUp };
}

/**
 * Applies one of several rules of an expression: a score mod, a bias or a weight mod.
 *
 * @param fn - For errors: the public function that received the rule as its `option`.
 * @param adds - True if the rule is a bias, whose result must contain the score. Default false.
 * @throws {ArgumentError} As {@link expression}, and if the result is a comparison, which is 1 or 0 instead of a score.
 */
export function applyRule(
  fn: string,
  option: string,
  rule: (score: Expr, at: ScoreIndices) => Operand,
  score: Expr,
  at: ScoreIndices,
  adds = false,
): Expr {
  const result = record(fn, option, () => rule(score, at));
  const { step } = result;
  if (step.kind === "operation" && logicalNames.includes(step.name)) {
    const fix = "write `condition.where(score, -Infinity)`, or `mask: maskMod(…)` with numbers.";
    refuse(fn, option, toCode(result), "a score, and comparisons give 1 or 0", fix);
  }
  if (adds && !stepsOf(result).includes(score)) {
    const fix = "return `score.add(…)`; a rule that replaces scores is a `scoreMod`.";
    refuse(fn, option, toCode(result), "a rule that adds to the score", fix);
  }
  return result;
}

/** Operations whose result is 1 or 0, not a score. */
const logicalNames: readonly OperationName[] = [
  "not",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "equal",
  "and",
  "or",
];

/**
 * Calls a rule with symbols. `? :`, `&&`, `||`, `!`, `===` and `includes` never convert a symbol to a plain value, so their use
 * cannot be detected when they run. But they leave recorded steps that the result does not use, which are refused here.
 */
function record(fn: string, argument: string, rule: () => Operand): Expr {
  const outer = recording;
  const current: Recording = { fn, argument, created: new Set(), read: new Set() };
  recording = current;
  try {
    const result = toExpr(rule());
    const used = new Set(stepsOf(result));
    // The error shows the last unused step, since it may contain the others. Single symbols may be unused if another one is used.
    const read = [...current.read].some((symbol) => used.has(symbol)) ? [] : current.read;
    const unused = [...read, ...current.created].filter((expr) => !used.has(expr)).at(-1);
    if (unused) {
      refuseMisuse(
        `${toCode(result)} without ${toCode(unused)}`,
        "a result that uses every step that was recorded",
        "`? :`, `&&`, `||`, `!` and `===` do not see symbolic values: write `condition.where(a, b)` for `? :`, and the methods `and`, `or`, `not` and `equal`. Leave out what the result does not need.",
      );
    }
    return result;
  } finally {
    recording = outer;
  }
}

/** The steps of a result in topological order: each after its operands. */
export function stepsOf(result: Expr): Expr[] {
  const steps = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (steps.has(expr)) return;
    operandsOf(expr.step).forEach(visit);
    steps.add(expr);
  };
  visit(result);
  return [...steps];
}

/** The operands of a step. */
export function operandsOf(step: Step): readonly Expr[] {
  switch (step.kind) {
    case "operation":
      return step.operands;
    case "lookup":
      return step.indices;
    case "call":
      return [step.x, step.at.batch, step.at.head, step.at.query, step.at.key];
    case "dropoutMask":
      return [step.at.batch, step.at.head, step.at.query, step.at.key];
    default:
      return [];
  }
}

/**
 * Converts a number to a symbolic constant; returns a symbolic number unchanged.
 *
 * @param fn - For errors outside of a rule: the public function. `argument`: the name of its argument.
 */
export function toExpr(value: Operand, fn = "expression", argument = "operand"): Expr {
  if (value instanceof Expr) return value;
  if (typeof value === "number" && !Number.isNaN(value)) return new Expr({ kind: "number", value });
  refuseMisuse(
    value,
    "symbolic numbers and numbers alone",
    "use the methods of the symbols (`score.add(1)`), not operators, and `lookup(table, at.head)` for tensors.",
    { fn, argument },
  );
}

/** Formats a step as code, for errors. Deeply nested operands are omitted. */
function toCode({ step }: Expr, depth = 3): string {
  if (step.kind === "symbol") return step.name === "score" ? step.name : `at.${step.name}`;
  if (step.kind === "number") return `${step.value}`;
  if (depth === 0) return "…";
  const [first, ...rest] = operandsOf(step).map((operand) => toCode(operand, depth - 1));
  return step.kind === "operation" ? `${first}.${step.name}(${rest.join(", ")})` : `${step.kind}(…)`;
}

/** Throws the error for a wrong use of symbols, with the name of the public function that received the rule. */
function refuseMisuse(
  received: unknown,
  expected: string,
  fix: string,
  outside = { fn: "expression", argument: "operand" },
): never {
  const { fn, argument } = recording ?? outside;
  refuse(fn, argument, received, expected, fix);
}

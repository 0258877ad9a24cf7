import type { ScoreMod } from "@qkv/attention";
import { cast, tensor, type Device } from "@qkv/tensor";
import { call, lookup, toExpr, type Expr, type ScoreIndices } from "@qkv/attention-contract";
import { readTensor } from "../reference-tensor.js";
import { knownNodes, type Known } from "./known-nodes.js";
import { scalarFunctions } from "./scalar-functions.js";

/** The sizes of the scores that a graph modifies. */
export type Sizes = { B: number; H: number; T: number; S: number };

/**
 * A value that depends on the score: an expression, with its ONNX shape. It is recorded at its first use: nodes with unused
 * outputs, or of which only the shape is read, record nothing.
 */
type Symbolic = { readonly shape: readonly number[]; readonly integer: boolean; readonly expr: () => Expr };
type Value = Known | Symbolic;

type GraphNode = {
  op: string;
  inputs: (string | null)[];
  outputs: string[];
  attributes: Record<string, unknown>;
};
type Graph = {
  nodes: GraphNode[];
  initializers: { name: string }[];
  inputs: { name: string }[];
  outputs: { name: string }[];
};

/**
 * Translates an ONNX graph over scores `[B, H, T, S]` to a score mod. Each node is visited once: values that do not depend on
 * the score (shapes, ranges, tables) are computed, others are recorded as arithmetic on one score and its indices. Known
 * values that would grow by broadcasting, such as the distances of all pairs, are recorded too, so that no `[T, S]` tensor
 * is created.
 */
export function graphExpression(
  graph: unknown,
  sizes: Sizes,
  dtype: "float32" | "float64",
  device: Device,
): ScoreMod["apply"] {
  return (score, at) => {
    const reader = new GraphReader(sizes, at, { dtype, device });
    const { B, H, T, S } = sizes;
    return reader.toExpr(reader.read(graph, { shape: [B, H, T, S], integer: false, expr: () => score }));
  };
}

class GraphReader {
  readonly values = new Map<string, Value>();

  constructor(
    private readonly sizes: Sizes,
    private readonly at: ScoreIndices,
    private readonly numbers: { dtype: "float32" | "float64"; device: Device },
  ) {}

  read(graph: unknown, scores: Value): Value {
    const { nodes, initializers, inputs, outputs } = graph as Graph;
    const [input, output] = [inputs[0], outputs[0]];
    if (!input || !output) throw new Error("a graph needs an input and an output");
    for (const initializer of initializers) this.values.set(initializer.name, knownTensor(initializer));
    this.values.set(input.name, scores);
    for (const node of nodes) this.values.set(node.outputs[0]!, this.run(node));
    return this.of(output.name);
  }

  of(name: string | null | undefined): Value {
    const value = this.values.get(name ?? "");
    if (!value) throw new Error(`the graph uses \`${name}\`, which nothing gives`);
    return value;
  }

  run({ op, inputs, attributes }: GraphNode): Value {
    const value = (i: number) => this.of(inputs[i]);
    const known = (i: number) => asKnown(op, value(i));
    const unary = unaries[op];
    if (unary)
      return this.#map(
        [value(0)],
        unary.known,
        ([x]) => unary.symbolic(x!),
        unary.integer ?? value(0).integer,
      );
    const plain = scalarFunctions[op];
    if (plain) {
      // A scalar function runs on each score, tile by tile.
      const f = (x: number) => plain(x, attributes);
      const note = ([x]: readonly Expr[]) => call(x!, this.at, f, noSlope);
      return this.#map([value(0)], (x) => f(x!), note, op.startsWith("Is"));
    }
    const onKnown = knownNodes[op];
    if (onKnown) {
      return onKnown(
        inputs.map((name, i) => (name ? known(i) : undefined)),
        attributes,
      );
    }
    const binary = op === "Mod" && attributes["fmod"] ? truncatedMod : binaries[op];
    if (binary) {
      const values = inputs.map((_, i) => value(i));
      const integer = binary.integer ?? values.every((one) => one.integer);
      const fold = (a: Value, b: Value): Value =>
        this.#map(
          [a, b],
          (x, y) => binary.known(x!, y!, integer),
          ([x, y]) => binary.symbolic(x!, y!, integer),
          integer,
        );
      return values.reduce(fold);
    }
    switch (op) {
      case "Identity":
        return value(0);
      case "Constant":
        return constant(attributes);
      case "Shape": {
        const { shape } = value(0);
        const [start, end] = [attributes["start"] ?? 0, attributes["end"] ?? shape.length].map(Number);
        const numbers = shape.slice(start, end);
        return { shape: [numbers.length], integer: true, numbers };
      }
      case "Range": {
        const [start, limit, delta] = [known(0), known(1), known(2)].map(({ numbers }) => numbers[0]!);
        const length = Math.max(0, Math.ceil((limit! - start!) / delta!));
        return {
          shape: [length],
          integer: known(0).integer,
          numbers: Array.from({ length }, (_, i) => start! + i * delta!),
        };
      }
      case "Gather":
        return this.#gather(known(0), value(1), Number(attributes["axis"] ?? 0));
      case "Reshape":
        return withShape(op, value(0), reshaped(value(0).shape, known(1).numbers));
      case "Unsqueeze": {
        const { shape } = value(0);
        const given = inputs[1] ? known(1).numbers : (attributes["axes"] as number[]);
        const axes = axesOf(given, shape.length + given.length);
        const next = [...shape];
        for (const axis of [...axes].sort((a, b) => a - b)) next.splice(axis, 0, 1);
        return withShape(op, value(0), next);
      }
      case "Squeeze": {
        const { shape } = value(0);
        const given = inputs[1] ? known(1).numbers : (attributes["axes"] as number[] | undefined);
        const axes = given
          ? axesOf(given, shape.length)
          : shape.flatMap((length, axis) => (length === 1 ? [axis] : []));
        return withShape(
          op,
          value(0),
          shape.filter((_, axis) => !axes.includes(axis)),
        );
      }
      case "Concat": {
        const parts = inputs.map((_, i) => known(i));
        if (parts.some(({ shape }) => shape.length !== 1)) throw cannot(op, "lists only");
        const numbers = parts.flatMap(({ numbers }) => [...numbers]);
        return { shape: [numbers.length], integer: parts.every(({ integer }) => integer), numbers };
      }
      case "Mean": {
        const total = this.run({ op: "Sum", inputs, outputs: [], attributes });
        const count = inputs.length;
        return this.#map(
          [total],
          (x) => x! / count,
          ([x]) => x!.div(count),
          false,
        );
      }
      case "ConstantOfShape":
        return filled(known(0).numbers, attributes["value"] ? knownTensor(attributes["value"]) : undefined);
      case "Expand": {
        // A broadcast scalar has the same value everywhere.
        const x = value(0);
        return {
          shape: joint(x.shape, known(1).numbers),
          integer: x.integer,
          expr: once(() => this.toExpr(x)),
        };
      }
      case "Cast":
      case "CastLike": {
        const integer = op === "Cast" ? !floatTypes.includes(Number(attributes["to"])) : value(1).integer;
        if (op === "Cast" && Number(attributes["to"]) === boolType) {
          return this.#map(
            [value(0)],
            (x) => Number(x !== 0),
            ([x]) => x!.not().not(),
            true,
          );
        }
        return integer && !value(0).integer
          ? this.#map(
              [value(0)],
              (x) => Math.trunc(x!),
              ([x]) => truncate(x!),
              true,
            )
          : { ...value(0), integer };
      }
      case "Where": {
        const [condition, a, b] = [value(0), value(1), value(2)];
        const integer = a.integer && b.integer;
        return this.#map(
          [condition, a, b],
          (c, x, y) => (c !== 0 ? x! : y!),
          ([c, x, y]) => c!.where(x!, y!),
          integer,
        );
      }
      case "Clip": {
        const low = inputs[1] ? known(1).numbers[0]! : -Infinity;
        const high = inputs[2] ? known(2).numbers[0]! : Infinity;
        return this.#map(
          [value(0)],
          (x) => Math.min(high, Math.max(low, x!)),
          ([x]) => x!.max(low).min(high),
          value(0).integer,
        );
      }
      default:
        throw cannot(op, "it is no operator that is known here");
    }
  }

  /** A value as arithmetic on one score and its indices. */
  toExpr(value: Value): Expr {
    if ("expr" in value) return value.expr();
    const { shape, numbers } = value;
    if (numbers.length === 1) return toExpr(numbers[0]!);
    const table = tensor(numbers, { shape, ...this.numbers });
    return lookup(table, ...this.#places(shape));
  }

  /** For each axis of a shape that broadcasts to the scores, the index of a score on it. */
  #places(shape: readonly number[]): (Expr | number)[] {
    const { T, S } = this.sizes;
    const { batch, head, query, key } = this.at;
    // Query and key indices are relative to the first query and the first key.
    const places = [() => batch, () => head, () => query.sub(S - T), () => key];
    if (shape.length > 4) throw cannot("broadcasting", `a shape of ${shape.length} axes`);
    return shape.map((length, axis) => (length === 1 ? 0 : places[4 - shape.length + axis]!()));
  }

  /** An elementwise operation: computed if all operands are known and the result is not larger, otherwise recorded. */
  #map(
    values: readonly Value[],
    compute: (...numbers: number[]) => number,
    note: (exprs: readonly Expr[]) => Expr,
    integer: boolean,
  ): Value {
    const shape = values.map((value) => value.shape).reduce(joint);
    const size = shape.reduce((a, b) => a * b, 1);
    const known = values.filter((value): value is Known => "numbers" in value);
    const grows = known.every(({ numbers }) => numbers.length !== size);
    if (known.length === values.length && !grows) {
      const numbers = Array.from({ length: size }, (_, n) =>
        compute(...known.map((value) => value.numbers[placeOf(n, shape, value.shape)]!)),
      );
      return { shape, integer, numbers };
    }
    return { shape, integer, expr: once(() => note(values.map((value) => this.toExpr(value)))) };
  }

  #gather(data: Known, indices: Value, axis: number): Value {
    if (data.shape.length === 1 && "expr" in indices) {
      const table = tensor(data.numbers, { shape: data.shape, ...this.numbers });
      return { shape: indices.shape, integer: data.integer, expr: once(() => lookup(table, indices.expr())) };
    }
    const { numbers, shape } = asKnown("Gather", indices);
    const at = axis < 0 ? axis + data.shape.length : axis;
    const [outer, length, inner] = [data.shape.slice(0, at), data.shape[at]!, data.shape.slice(at + 1)];
    const [before, after] = [outer, inner].map((part) => part.reduce((a, b) => a * b, 1)) as [number, number];
    const taken: number[] = [];
    for (let i = 0; i < before; i++) {
      for (const index of numbers) {
        const from = (i * length + (index < 0 ? index + length : index)) * after;
        taken.push(...data.numbers.slice(from, from + after));
      }
    }
    return { shape: [...outer, ...shape, ...inner], integer: data.integer, numbers: taken };
  }
}

/** Memoized: computed once. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

type Unary = { known: (x: number) => number; symbolic: (x: Expr) => Expr; integer?: boolean };
const unaries: Record<string, Unary | undefined> = {
  Neg: { known: (x) => -x, symbolic: (x) => x.neg() },
  Abs: { known: Math.abs, symbolic: (x) => x.abs() },
  Exp: { known: Math.exp, symbolic: (x) => x.exp() },
  Log: { known: Math.log, symbolic: (x) => x.log() },
  Tanh: { known: Math.tanh, symbolic: (x) => x.tanh() },
  Sqrt: { known: Math.sqrt, symbolic: (x) => x.sqrt() },
  Floor: { known: Math.floor, symbolic: (x) => x.floor() },
  Ceil: { known: Math.ceil, symbolic: (x) => x.neg().floor().neg() },
  Reciprocal: { known: (x) => 1 / x, symbolic: (x) => toExpr(1).div(x) },
  Sigmoid: { known: (x) => 1 / (1 + Math.exp(-x)), symbolic: (x) => toExpr(1).div(x.neg().exp().add(1)) },
  Relu: { known: (x) => Math.max(0, x), symbolic: (x) => x.max(0) },
  Sign: { known: Math.sign, symbolic: (x) => x.greater(0).sub(x.less(0)) },
  Not: { known: (x) => Number(x === 0), symbolic: (x) => x.not(), integer: true },
};

type Binary = {
  known: (a: number, b: number, integer: boolean) => number;
  symbolic: (a: Expr, b: Expr, integer: boolean) => Expr;
  integer?: boolean;
};
const compare = (known: (a: number, b: number) => boolean, symbolic: (a: Expr, b: Expr) => Expr): Binary => ({
  known: (a, b) => Number(known(a, b)),
  symbolic,
  integer: true,
});
const binaries: Record<string, Binary | undefined> = {
  Add: { known: (a, b) => a + b, symbolic: (a, b) => a.add(b) },
  Sub: { known: (a, b) => a - b, symbolic: (a, b) => a.sub(b) },
  Mul: { known: (a, b) => a * b, symbolic: (a, b) => a.mul(b) },
  Div: {
    known: (a, b, integer) => (integer ? Math.trunc(a / b) : a / b),
    symbolic: (a, b, integer) => (integer ? truncate(a.div(b)) : a.div(b)),
  },
  Mod: { known: (a, b) => a - Math.floor(a / b) * b, symbolic: (a, b) => a.sub(a.div(b).floor().mul(b)) },
  Pow: { known: (a, b) => a ** b, symbolic: (a, b) => a.pow(b) },
  Min: { known: (a, b) => Math.min(a, b), symbolic: (a, b) => a.min(b) },
  Max: { known: (a, b) => Math.max(a, b), symbolic: (a, b) => a.max(b) },
  Sum: { known: (a, b) => a + b, symbolic: (a, b) => a.add(b) },
  Greater: compare(
    (a, b) => a > b,
    (a, b) => a.greater(b),
  ),
  GreaterOrEqual: compare(
    (a, b) => a >= b,
    (a, b) => a.greaterEqual(b),
  ),
  Less: compare(
    (a, b) => a < b,
    (a, b) => a.less(b),
  ),
  LessOrEqual: compare(
    (a, b) => a <= b,
    (a, b) => a.lessEqual(b),
  ),
  Equal: compare(
    (a, b) => a === b,
    (a, b) => a.equal(b),
  ),
  And: compare(
    (a, b) => a !== 0 && b !== 0,
    (a, b) => a.and(b),
  ),
  Or: compare(
    (a, b) => a !== 0 || b !== 0,
    (a, b) => a.or(b),
  ),
  Xor: compare(
    (a, b) => (a !== 0) !== (b !== 0),
    (a, b) => a.not().equal(b.not()).not(),
  ),
};

/** The remainder with the sign of the dividend, as C's `fmod`. */
const truncatedMod: Binary = {
  known: (a, b) => a % b,
  symbolic: (a, b) => a.sub(truncate(a.div(b)).mul(b)),
};

/** TensorProto's data types. */
const floatTypes = [1, 10, 11, 16];
const boolType = 9;

function truncate(x: Expr): Expr {
  return x.less(0).where(x.neg().floor().neg(), x.floor());
}

/** A tensor of the data; float16 bit patterns are decoded. */
function knownTensor(json: unknown): Known {
  const { shape, dtype, values } = readTensor(json);
  const wide =
    values instanceof Uint16Array ? cast(tensor(values, { dtype: "float16" }), "float32").data : values;
  const numbers = Array.from(wide as ArrayLike<number | bigint>, Number);
  return { shape, integer: !dtype.startsWith("float"), numbers };
}

function filled(shape: readonly number[], value?: Known): Known {
  const length = shape.reduce((a, b) => a * b, 1);
  const numbers = Array<number>(length).fill(value?.numbers[0] ?? 0);
  return { shape, integer: value?.integer ?? false, numbers };
}

function constant(attributes: Record<string, unknown>): Known {
  const { value, value_int, value_float, value_ints, value_floats } = attributes as Record<string, unknown>;
  if (value !== undefined) return knownTensor(value);
  const list = (value_ints ?? value_floats) as number[] | undefined;
  if (list) return { shape: [list.length], integer: value_ints !== undefined, numbers: list };
  return { shape: [], integer: value_int !== undefined, numbers: [Number(value_int ?? value_float)] };
}

function asKnown(op: string, value: Value): Known {
  if ("numbers" in value) return value;
  throw cannot(op, "its argument depends on the score or its place");
}

/** A reshaped value. An expression keeps its axes, so only leading axes may be added or removed. */
function withShape(op: string, value: Value, shape: readonly number[]): Value {
  if ("numbers" in value) return { ...value, shape };
  const bare = (lengths: readonly number[]) => lengths.join().replace(/^(1,)+/, "");
  if (bare(value.shape) === bare(shape)) return { ...value, shape };
  throw cannot(op, `[${value.shape.join(", ")}] to [${shape.join(", ")}] moves the axes of scores`);
}

function reshaped(from: readonly number[], wanted: readonly number[]): number[] {
  const size = from.reduce((a, b) => a * b, 1);
  const copied = wanted.map((length, axis) => (length === 0 ? from[axis]! : length));
  const rest = copied.filter((length) => length !== -1).reduce((a, b) => a * b, 1);
  return copied.map((length) => (length === -1 ? size / rest : length));
}

function axesOf(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

function joint(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1)
      throw cannot("broadcasting", `[${a.join(", ")}] with [${b.join(", ")}]`);
    return left === 1 ? right : left;
  });
}

/** The index of element `n` of a shape in an operand that broadcasts to it. */
function placeOf(n: number, shape: readonly number[], own: readonly number[]): number {
  let place = 0;
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const index = n % shape[axis]!;
    n = Math.floor(n / shape[axis]!);
    const ownAxis = axis - shape.length + own.length;
    if (ownAxis < 0) break;
    if (own[ownAxis] !== 1) place += index * stride;
    stride *= own[ownAxis]!;
  }
  return place;
}

function cannot(op: string, why: string): Error {
  return new Error(`the graph's ${op} cannot be turned into an expression: ${why}`);
}

function noSlope(): number {
  throw new Error("a case of FlexAttention asks for no gradient");
}

/** Values that are known without a score: shapes, indices, small tables; or all scores, if a graph is no expression. */
export type Known = {
  readonly shape: readonly number[];
  readonly integer: boolean;
  readonly numbers: readonly number[];
};

type Attributes = Record<string, unknown>;
type KnownNode = (inputs: readonly (Known | undefined)[], attributes: Attributes) => Known;

/** ONNX operators that reduce along an axis or copy elements, on known values. */
export const knownNodes: Record<string, KnownNode | undefined> = {
  ReduceMax: reducing((row) => row.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceMin: reducing((row) => row.reduce((a, b) => Math.min(a, b), Infinity)),
  ReduceSum: reducing(sum),
  ReduceMean: reducing((row) => sum(row) / row.length),
  ReduceProd: reducing((row) => row.reduce((a, b) => a * b, 1)),
  ReduceL1: reducing((row) => sum(row.map(Math.abs))),
  ReduceL2: reducing((row) => Math.sqrt(sum(row.map((x) => x * x)))),
  ReduceSumSquare: reducing((row) => sum(row.map((x) => x * x))),
  ReduceLogSumExp: reducing(logSumExp),
  Softmax: alongAxis((row) => {
    const total = logSumExp(row);
    return row.map((x) => Math.exp(x - total));
  }),
  LogSoftmax: alongAxis((row) => {
    const total = logSumExp(row);
    return row.map((x) => x - total);
  }),
  CumSum([x, axis], { exclusive = 0, reverse = 0 }) {
    return alongAxis((row) => {
      let total = 0;
      const forward = reverse ? row.toReversed() : row;
      const sums = forward.map((value) => (exclusive ? (total += value) - value : (total += value)));
      return reverse ? sums.reverse() : sums;
    })([x], { axis: demand(axis).numbers[0]! });
  },
  Transpose([x], { perm }) {
    const { shape } = demand(x);
    const order = (perm as number[] | undefined) ?? shape.map((_, axis) => shape.length - 1 - axis);
    return taken(
      demand(x),
      order.map((axis) => shape[axis]!),
      (place) => {
        const from: number[] = [];
        order.forEach((axis, to) => (from[axis] = place[to]!));
        return from;
      },
    );
  },
  Slice([x, starts, ends, axes, steps], attributes) {
    const { shape } = demand(x);
    const first = starts?.numbers ?? (attributes["starts"] as number[]);
    const last = ends?.numbers ?? (attributes["ends"] as number[]);
    const along = axes?.numbers ?? (attributes["axes"] as number[] | undefined) ?? first.map((_, i) => i);
    const offsets = shape.map(() => 0);
    const strides = shape.map(() => 1);
    const sizes = [...shape];
    along.forEach((given, i) => {
      const axis = given < 0 ? given + shape.length : given;
      const length = shape[axis]!;
      const step = steps?.numbers[i] ?? 1;
      const wrapped = (at: number) => (at < 0 ? at + length : at);
      const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
      const within = (at: number, least: number) => Math.max(least, Math.min(high, wrapped(at)));
      const from = within(first[i]!, Math.max(low, 0));
      offsets[axis] = from;
      strides[axis] = step;
      sizes[axis] = Math.max(0, Math.ceil((within(last[i]!, low) - from) / step));
    });
    return taken(demand(x), sizes, (place) => place.map((at, axis) => offsets[axis]! + at * strides[axis]!));
  },
  Trilu([x, k], { upper = 1 }) {
    const { shape, numbers, integer } = demand(x);
    const [rows, columns] = shape.slice(-2) as [number, number];
    const diagonal = k?.numbers[0] ?? 0;
    return {
      shape,
      integer,
      numbers: numbers.map((value, n) => {
        const away = (n % columns) - (Math.floor(n / columns) % rows) - diagonal;
        return (upper ? away >= 0 : away <= 0) ? value : 0;
      }),
    };
  },
};

function reducing(reduce: (row: number[]) => number): KnownNode {
  return ([x, given], attributes) => {
    const { shape, integer } = demand(x);
    const wanted = given?.numbers ?? (attributes["axes"] as number[] | undefined) ?? [];
    if (wanted.length === 0 && attributes["noop_with_empty_axes"]) return demand(x);
    const axes = (wanted.length > 0 ? wanted : shape.map((_, axis) => axis)).map((axis) =>
      axis < 0 ? axis + shape.length : axis,
    );
    // The reduced axes are moved to the end, so that each row is one reduction.
    const keptAxes = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const { numbers } = knownNodes["Transpose"]!([x], { perm: [...keptAxes, ...axes] });
    const length = axes.reduce((size, axis) => size * shape[axis]!, 1);
    const count = keptAxes.reduce((size, axis) => size * shape[axis]!, 1);
    const rows = Array.from({ length: count }, (_, n) => numbers.slice(n * length, (n + 1) * length));
    const keep = attributes["keepdims"] !== 0;
    return {
      shape: shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size])),
      integer,
      numbers: rows.map(reduce),
    };
  };
}

function alongAxis(change: (row: number[]) => number[]): KnownNode {
  return ([x], { axis = -1 }) => {
    const { shape, numbers, integer } = demand(x);
    const at = Number(axis) < 0 ? Number(axis) + shape.length : Number(axis);
    const length = shape[at]!;
    const inner = shape.slice(at + 1).reduce((a, b) => a * b, 1);
    const changed = [...numbers];
    for (let n = 0; n < numbers.length; n++) {
      if (Math.floor(n / inner) % length !== 0) continue;
      const row = Array.from({ length }, (_, i) => numbers[n + i * inner]!);
      change(row).forEach((value, i) => (changed[n + i * inner] = value));
    }
    return { shape, integer, numbers: changed };
  };
}

/** A tensor of another shape, whose elements are copied from `x`. */
function taken(x: Known, shape: readonly number[], from: (place: number[]) => number[]): Known {
  const size = shape.reduce((a, b) => a * b, 1);
  const numbers = Array.from({ length: size }, (_, n) => {
    const place: number[] = [];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = n % shape[axis]!;
      n = Math.floor(n / shape[axis]!);
    }
    return x.numbers[from(place).reduce((at, index, axis) => at * x.shape[axis]! + index, 0)]!;
  });
  return { shape, integer: x.integer, numbers };
}

function logSumExp(row: readonly number[]): number {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(sum(row.map((x) => Math.exp(x - largest))));
}

function sum(row: readonly number[]): number {
  return row.reduce((a, b) => a + b, 0);
}

function demand(x: Known | undefined): Known {
  if (x) return x;
  throw new Error("a node of the graph lacks an input");
}

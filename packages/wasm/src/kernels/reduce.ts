import { sizeOf, type View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isContiguousView } from "./contiguous-view.js";
import { overRows } from "./rows.js";

type Reduction = { readonly axes: readonly number[] };

/** Sums, means, maxima and minima over adjacent axes of contiguous tensors. */
export function reduceKernels(engine: Engine) {
  const over =
    (rows: string, columns: string, factor: (count: number) => number) =>
    ([x]: readonly View[], outputs: readonly View[], { axes }: Reduction): boolean =>
      outputs[0]!.dtype === "float32" && reduce(engine, x!, outputs, axes, rows, columns, factor);
  return {
    sum: over("sumRows", "sumColumns", () => 1),
    mean: over("sumRows", "sumColumns", (count) => 1 / count),
    max: over("largestRows", "largestColumns", () => 1),
    min: over("largestRows", "largestColumns", () => -1),
    /** Sums over the axes that broadcasting the output's shape to that of x adds or repeats. */
    sumTo: ([x]: readonly View[], outputs: readonly View[]): boolean => {
      const { shape } = outputs[0]!;
      const missing = x!.shape.length - shape.length;
      const outputLength = (axis: number) => (axis < missing ? 1 : shape[axis - missing]!);
      // An output that is longer than x along an axis repeats numbers, which is rare: the plain kernel does it.
      if (
        missing < 0 ||
        x!.shape.some((length, axis) => outputLength(axis) !== length && outputLength(axis) !== 1)
      )
        return false;
      const axes = x!.shape.flatMap((length, axis) => (outputLength(axis) === length ? [] : [axis]));
      return reduce(engine, x!, outputs, axes, "sumRows", "sumColumns", () => 1);
    },
  };
}

/** Reduces [outer, n, inner] over n, the reduced axes. */
function reduce(
  engine: Engine,
  x: View,
  outputs: readonly View[],
  axes: readonly number[],
  rows: string,
  columns: string,
  factor: (count: number) => number,
): boolean {
  const isReduced = x.shape.map((length, axis) => length !== 1 && axes.includes(axis));
  const first = isReduced.indexOf(true);
  const last = isReduced.lastIndexOf(true);
  const areAdjacent = isReduced.every(
    (isReducedAxis, axis) => isReducedAxis === (axis >= first && axis <= last) || x.shape[axis] === 1,
  );
  if (first < 0 || !areAdjacent || !isContiguousView(x)) return false;
  const [outer, n, inner] = [
    sizeOf(x.shape.slice(0, first)),
    sizeOf(x.shape.slice(first, last + 1)),
    sizeOf(x.shape.slice(last + 1)),
  ];
  if (outer * n * inner === 0) return false;
  return withCall(engine, (call) => {
    const [from, to] = call.addresses([x], outputs) as [number, number];
    if (inner === 1) return overRows(engine, rows, { shape: [outer, n] }, [from, to], factor(n));
    const items = outer * Math.ceil(inner / 64);
    return engine.parallel(columns, items, 512, from, to, n, inner, factor(n));
  });
}

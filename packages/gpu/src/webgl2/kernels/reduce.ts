import { sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { mergeAxes } from "../../axes.js";
import { runInto, type Gl } from "../gl.js";
import { float } from "../glsl.js";
import { computeByNumber } from "../numbers.js";
import { offsetText } from "../offset-text.js";

type Reduction = { readonly axes: readonly number[] };

/** Largest count that one thread reduces: larger reductions run the plain kernel. */
const maxNumbers = 2 ** 16;

/** Sums, means, maxima and minima over any axes. */
export function reduceKernels(gl: Gl) {
  const over =
    (name: string, start: number, step: string, factor: (count: number) => number) =>
    ([x]: readonly View[], [output]: readonly View[], { axes }: Reduction): boolean =>
      output!.dtype === "float32" && reduce(gl, name, x!, output!, axes, start, step, factor);
  const kernels: Record<string, Kernel<never>> = {
    sum: over("sum", 0, "sum + x", () => 1),
    mean: over("mean", 0, "sum + x", (count) => 1 / count),
    max: over("max", -Infinity, "max(sum, x)", () => 1),
    min: over("min", Infinity, "min(sum, x)", () => 1),
    /** Sums over the axes that broadcasting the output's shape to that of x adds or repeats. */
    sumTo: (([x]: readonly View[], [output]: readonly View[]): boolean => {
      const missing = x!.shape.length - output!.shape.length;
      const outputLength = (axis: number) => (axis < missing ? 1 : output!.shape[axis - missing]!);
      // An output that is longer than x along an axis repeats numbers, which is rare: the plain kernel does it.
      if (
        missing < 0 ||
        x!.shape.some((length, axis) => outputLength(axis) !== length && outputLength(axis) !== 1)
      )
        return false;
      const axes = x!.shape.flatMap((length, axis) => (outputLength(axis) === length ? [] : [axis]));
      return output!.dtype === "float32" && reduce(gl, "sumTo", x!, output!, axes, 0, "sum + x", () => 1);
    }) as Kernel<never>,
  };
  return kernels;
}

function reduce(
  gl: Gl,
  name: string,
  x: View,
  output: View,
  axes: readonly number[],
  start: number,
  step: string,
  factor: (count: number) => number,
): boolean {
  const pick = (list: readonly number[], reduced: boolean) =>
    list.filter((_, axis) => axes.includes(axis) === reduced);
  const keptAxes = mergeAxes(pick(x.shape, false), [pick(x.strides, false)]);
  const reducedAxes = mergeAxes(pick(x.shape, true), [pick(x.strides, true)]);
  const count = sizeOf(pick(x.shape, true));
  if (x.dtype !== "float32" || sizeOf(output.shape) === 0 || count === 0 || count > maxNumbers) return false;
  // One accumulator per axis: fewer additions to a large sum, so less rounding error.
  const loops = reducedAxes.lengths.map((length, axis) => ({ length, step: reducedAxes.steps[0]![axis]! }));
  const inner = loops.reduceRight(
    (body, { length, step: stride }, depth) => `{
    float outer${depth} = sum;
    sum = ${float(start)};
    for (int i${depth} = 0; i${depth} < ${length}; i${depth}++) {
      int at${depth + 1} = at${depth} + i${depth} * ${stride};
      ${body}
    }
    float x = sum;
    sum = outer${depth};
    sum = ${step};
  }`,
    `{ float x = x1(at${loops.length}); sum = ${step}; }`,
  );
  return runInto(gl, output, {
    name,
    text: `float number(int n) {
  ${offsetText(keptAxes, ["at0"], ["xAt"])}
  float sum = ${float(start)};
  ${inner}
  return sum * ${float(factor(count))};
}
${computeByNumber}`,
    inputs: { x: gl.store.bufferOf(x) },
    ints: { xAt: x.offset },
  });
}

import { sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { mergeAxes } from "../axes.js";
import type { Buffer } from "../engine.js";
import { offsetText, factorText } from "./offset-text.js";
import { runInto, type Scalar } from "./run.js";

type Axes = { readonly axes: readonly number[] };

/** A reduction: its initial value, the combination of two values, and the final step. */
type Reduction = {
  readonly start: (first: string) => string;
  readonly join: (a: string, b: string) => string;
  readonly end?: (all: string, count: number) => string;
};

const sum: Reduction = { start: () => "0", join: (a, b) => `${a} + ${b}` };
const reductions: Record<string, Reduction> = {
  sum,
  mean: { ...sum, end: (all, count) => `${all} / ${count}` },
  max: { start: (first) => first, join: (a, b) => `Math.max(${a}, ${b})` },
  min: { start: (first) => first, join: (a, b) => `Math.min(${a}, ${b})` },
};

/** Sums, means, and the largest or smallest, over any axes: one thread per result. */
export function reduceKernels<B extends Buffer>(scalar: Scalar<B>): Record<string, Kernel<never>> {
  return Object.fromEntries(
    Object.entries(reductions).map(([name, reduction]) => [name, reduceKernel(scalar, name, reduction)]),
  );
}

function reduceKernel<B extends Buffer>(
  scalar: Scalar<B>,
  name: string,
  { start, join, end }: Reduction,
): Kernel<never> {
  return ([x]: readonly View[], [output]: readonly View[], { axes }: Axes): boolean => {
    const pick = (list: readonly number[], reduced: boolean) =>
      list.filter((_, axis) => axes.includes(axis) === reduced);
    const count = sizeOf(pick(x!.shape, true));
    const floats = [x!, output!].every(({ dtype }) => dtype === "float32");
    if (!floats || sizeOf(output!.shape) * count === 0) return false;
    const outputAxes = mergeAxes(pick(x!.shape, false), [pick(x!.strides, false)]);
    const { lengths, steps } = mergeAxes(pick(x!.shape, true), [pick(x!.strides, true)]);
    // One accumulator per axis: fewer additions to a large sum, so less rounding error.
    const text = lengths.reduceRight(
      (inner, _, axis) => `let all${axis} = ${start(`x[at${axis}]`)};
  for (let i${axis} = 0; i${axis} < this.constants.count${axis}; i${axis}++) {
    const at${axis + 1} = at${axis} + i${axis} * ${factorText(steps[0]![axis]!)};
    ${inner}
    all${axis} = ${join(`all${axis}`, `all${axis + 1}`)};
  }`,
      `const all${lengths.length} = x[at${lengths.length}];`,
    );
    return runInto(scalar, output!, {
      name: `${name}Of`,
      body: `${offsetText(outputAxes, ["at0"], ["xStart"])}
  ${text}
  return ${end?.("all0", count) ?? "all0"};`,
      inputs: { x: scalar.store.bufferOf(x!) },
      ints: { xStart: x!.offset },
      constants: Object.fromEntries(lengths.map((length, axis) => [`count${axis}`, length])),
    });
  };
}

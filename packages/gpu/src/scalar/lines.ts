import { sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { mergeAxes } from "../axes.js";
import type { Buffer } from "../engine.js";
import { divideText, offsetText, factorText } from "./offset-text.js";
import { runInto, withScratch, type Scalar } from "./run.js";

/**
 * Functions along an axis, such as softmax. A line is the numbers along that axis, with all other indices fixed. Each pass
 * reduces every line to one number, such as its maximum or its sum; a last pass computes the results from these.
 */
export function lineKernels<B extends Buffer>(scalar: Scalar<B>): Record<string, Kernel<never>> {
  const softmax =
    (name: string, result: string) =>
    ([x]: readonly View[], [output]: readonly View[], { axis }: { axis: number }): boolean =>
      alongLines(scalar, x!, axis, [], output!, {
        name,
        passes: [
          [
            "top",
            `let largest = x[at];
  for (let k = 1; k < this.constants.count; k++) { largest = Math.max(largest, x[at + k * step]); }
  return largest;`,
          ],
          ["total", sumOverLine("Math.exp(x[at + k * step] - top[n])")],
        ],
        result,
      });
  type Norm = { readonly eps: number };
  const norm =
    (name: string, passes: readonly Pass[], result: string) =>
    ([x, ...params]: readonly View[], [output]: readonly View[], { eps }: Norm): boolean =>
      alongLines(scalar, x!, x!.shape.length - 1, params, output!, {
        name,
        passes,
        result,
        constants: { eps },
      });
  const mean = "/ this.constants.count";
  return {
    softmax: softmax("softmax", "Math.exp(value - top[line]) / total[line]"),
    logSoftmax: softmax("logSoftmax", "value - top[line] - Math.log(total[line])"),
    rmsNorm: norm(
      "rmsNorm",
      [["squares", sumOverLine("x[at + k * step] * x[at + k * step]", mean)]],
      "value / Math.sqrt(squares[line] + this.constants.eps)",
    ),
    // The float32 mean has a rounding error, so the mean of the differences from it (`correction`) is added.
    layerNorm: norm(
      "layerNorm",
      [
        ["mean", sumOverLine("x[at + k * step]", mean)],
        ["correction", sumOverLine("x[at + k * step] - mean[n]", mean)],
        [
          "squares",
          sumOverLine(
            "(x[at + k * step] - mean[n] - correction[n]) * (x[at + k * step] - mean[n] - correction[n])",
            mean,
          ),
        ],
      ],
      "(value - mean[line] - correction[line]) / Math.sqrt(squares[line] + this.constants.eps)",
    ),
  };
}

/** A name, and statements that return the number of line `n`, whose elements are `x[at + k * step]`. */
type Pass = readonly [name: string, text: string];

/** Statements that return the sum of `term` over a line. */
const sumOverLine = (term: string, end = "") => `let sum = 0;
  for (let k = 0; k < this.constants.count; k++) { sum += ${term}; }
  return sum ${end};`;

function alongLines<B extends Buffer>(
  scalar: Scalar<B>,
  x: View,
  axis: number,
  params: readonly View[],
  output: View,
  {
    name,
    passes,
    result,
    constants = {},
  }: {
    name: string;
    passes: readonly Pass[];
    /** Expression of a result, from its `value` and the numbers that the passes computed for its `line`. */
    result: string;
    constants?: Record<string, number>;
  },
): boolean {
  const count = x.shape[axis]!;
  if (sizeOf(x.shape) === 0 || [x, ...params].some(({ dtype }) => dtype !== "float32")) return false;
  const others = (list: readonly number[]) => list.filter((_, a) => a !== axis);
  const starts = mergeAxes(others(x.shape), [others(x.strides)]);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const all = { count, ...constants };
  const ints = { xStart: x.offset, step: x.strides[axis]! };
  return withScratch(scalar, (asScratch) => {
    const common: Record<string, B> = {};
    for (const [pass, text] of passes) {
      common[pass] = asScratch(
        scalar.engine.run({
          name: `${pass}OfLines`,
          body: `${offsetText(starts, ["at"], ["xStart"])}\n  ${text}`,
          inputs: { x: scalar.store.bufferOf(x), ...common },
          ints,
          constants: all,
          length: sizeOf(x.shape) / count,
        }),
      );
    }
    const factors = params.map((view, p) => ({ view, name: ["weight", "bias"][p]! }));
    const term = (param: string, joint: string) => {
      const view = factors.find((factor) => factor.name === param)?.view;
      return view ? `${joint} ${param}[${param}Start + k * ${factorText(view.strides[0]!)}]` : "";
    };
    return runInto(scalar, output, {
      name: `${name}OfLines`,
      body: `${divideText("above", "n", inner)}
  ${divideText("outer", "above", count)}
  const k = above - outer * ${count};
  const line = outer * ${inner} + n - above * ${inner};
  ${offsetText(starts, ["at"], ["xStart"], { n: "line" })}
  const value = x[at + k * step];
  return ${result} ${term("weight", "*")} ${term("bias", "+")};`,
      inputs: {
        x: scalar.store.bufferOf(x),
        ...common,
        ...Object.fromEntries(factors.map(({ view, name }) => [name, scalar.store.bufferOf(view)])),
      },
      ints: {
        ...ints,
        ...Object.fromEntries(factors.map(({ view, name }) => [`${name}Start`, view.offset])),
      },
      constants: all,
    });
  });
}

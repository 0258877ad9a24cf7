import { isContiguous, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { mergeAxes } from "../../axes.js";
import { stayInRow, lineReaderText } from "../dot-rows.js";
import { runInto, withScratch, type Gl } from "../gl.js";
import { float, maskedScore, quotient } from "../glsl.js";
import { hasResultLayout } from "../layout.js";
import { computeByNumber } from "../numbers.js";
import { offsetText } from "../offset-text.js";

/**
 * Functions along an axis, such as softmax. A line is the numbers along that axis, with all other indices fixed. There are two
 * passes: one thread per line reduces it to a texel, for softmax to its maximum and sum; then each thread computes four
 * results from that texel.
 */
type LineFunction = {
  readonly name: string;
  /**
   * GLSL that reduces a line to a texel. `each(body)` is a loop over the numbers `x` of the line, `texels(body)` one over its
   * texels `v`; undefined if lines do not consist of whole texels.
   */
  common(each: (body: string) => string, texels?: (body: string) => string): string;
  /** A result from `x`, the texel `c` of its line, and the parameters `w` (weight) and `b` (bias). */
  readonly result: string;
};

const lines: Record<string, LineFunction> = {
  softmax: softmaxLike("softmax", "exp(x - c.x) * c.y"),
  logSoftmax: softmaxLike("logSoftmax", "x - c.x - c.z"),
};

function softmaxLike(name: string, result: string): LineFunction {
  return {
    name,
    common: (each, texels) => `float top = ${maskedScore};
  float total = 0.0;
  ${
    texels
      ? texels(onlineSum)
      : `${each("top = max(top, x);")}
  ${each("total += exp(x - top);")}`
  }
  return vec4(top, 1.0 / total, log(total), 0.0);`,
    result,
  };
}

/** The online-softmax update by a texel `v`: `top` is the largest score so far, `total` the sum of exp(score − top). */
export const onlineSum = `float most = max(max(v.x, v.y), max(v.z, v.w));
    if (most > top) { total *= exp(top - most); top = most; }
    total += dot(exp(v - top), vec4(1.0));`;

const rmsNorm = (eps: number, n: number): LineFunction => ({
  name: "rmsNorm",
  common: (each) => `float squares = 0.0;
  ${each("squares += x * x;")}
  return vec4(1.0 / sqrt(squares / ${float(n)} + ${float(eps)}), 0.0, 0.0, 0.0);`,
  result: "x * c.x * w",
});

/** The float32 mean has a rounding error, so the mean of the differences from it (`correction`) is added. */
const layerNorm = (eps: number, n: number): LineFunction => ({
  name: "layerNorm",
  common: (each) => `float sum = 0.0;
  ${each("sum += x;")}
  float first = sum / ${float(n)};
  float correction = 0.0;
  float squares = 0.0;
  ${each("float d = x - first; correction += d; squares += d * d;")}
  correction /= ${float(n)};
  return vec4(first, correction, 1.0 / sqrt(squares / ${float(n)} - correction * correction + ${float(eps)}), 0.0);`,
  result: "(x - c.x - c.y) * c.z * w + b",
});

export function lineKernels(gl: Gl): Record<string, Kernel<never>> {
  const along =
    (name: string) =>
    ([x]: readonly View[], [output]: readonly View[], { axis }: { axis: number }): boolean =>
      alongLines(gl, lines[name]!, axis, x!, [], output!);
  const norm =
    (lineFunction: (eps: number, n: number) => LineFunction) =>
    ([x, ...params]: readonly View[], [output]: readonly View[], { eps }: { eps: number }): boolean =>
      alongLines(gl, lineFunction(eps, x!.shape.at(-1)!), x!.shape.length - 1, x!, params, output!);
  return {
    softmax: along("softmax"),
    logSoftmax: along("logSoftmax"),
    rmsNorm: norm(rmsNorm),
    layerNorm: norm(layerNorm),
  };
}

function alongLines(
  gl: Gl,
  { name, common, result }: LineFunction,
  axis: number,
  x: View,
  params: readonly View[],
  output: View,
): boolean {
  const count = x.shape[axis]!;
  const views = [x, ...params];
  if (sizeOf(x.shape) === 0 || views.some(({ dtype }) => dtype !== "float32")) return false;
  const others = (list: readonly number[]) => list.filter((_, a) => a !== axis);
  const step = x.strides[axis]!;
  const starts = mergeAxes(others(x.shape), [others(x.strides)]);
  const last = axis === x.shape.length - 1;
  // Contiguous lines of whole texels are read and written four numbers at a time.
  const inTexels =
    last &&
    count % 4 === 0 &&
    x.offset % 4 === 0 &&
    isContiguous([...x.shape], [...x.strides]) &&
    params.every(({ strides, offset }) => strides[0] === 1 && offset === 0);
  const inputs = { x: gl.store.bufferOf(x) };
  const rowTexels = count / 4;
  const inRow = inTexels && stayInRow({ texture: inputs.x, rowTexels, steps: [x.offset / 4, rowTexels] });
  const { begin, read, next } = lineReaderText({ name: "x", start: "at", inRow }, "place");
  const texels = (body: string) =>
    `{ ${begin} for (int k = 0; k < ${rowTexels}; k++) { vec4 v = ${read}; ${body} ${next} } }`;
  const each = (body: string) =>
    inTexels
      ? texels(["x", "y", "z", "w"].map((lane) => `{ float x = v.${lane}; ${body} }`).join(" "))
      : `for (int k = 0; k < ${count}; k++) { float x = x1(at + k * ${step}); ${body} }`;
  return withScratch(gl, (asScratch) => {
    const texel = asScratch(
      gl.shaders.run({
        name: `${name}Lines`,
        text: `vec4 compute(int n) {
  ${inTexels ? `int at = (xAt >> 2) + n * ${rowTexels};` : offsetText(starts, ["at"], ["xAt"])}
  ${inTexels ? common(each, texels) : common(each)}
}`,
        inputs,
        ints: { xAt: x.offset },
        length: (sizeOf(x.shape) / count) * 4,
      }),
    );
    const [weight, bias] = params;
    const ofParam = (view: View | undefined, param: string, without: string) =>
      view === undefined ? without : `${param}1(${param}At + k * ${view.strides[0]})`;
    const text = inTexels
      ? `float f(float x, vec4 c, float w, float b) { return ${result}; }
vec4 compute(int i) {
  int line = ${quotient("i", rowTexels)};
  int k = i - line * ${rowTexels};
  vec4 v = ${x.offset === 0 && hasResultLayout(inputs.x, sizeOf(output.shape)) ? "xHere()" : "x4((xAt >> 2) + i)"};
  vec4 c = c4(line);
  vec4 w = ${weight ? "w4(k)" : "vec4(1.0)"};
  vec4 b = ${bias ? "b4(k)" : "vec4(0.0)"};
  return vec4(f(v.x, c, w.x, b.x), f(v.y, c, w.y, b.y), f(v.z, c, w.z, b.z), f(v.w, c, w.w, b.w));
}`
      : `float number(int m) {
  ${lineIndexText(output, axis, count)}
  ${offsetText(starts, ["at"], ["xAt"])}
  float x = x1(at + k * ${step});
  vec4 c = c4(line);
  float w = ${ofParam(weight, "w", "1.0")};
  float b = ${ofParam(bias, "b", "0.0")};
  return ${result};
}
${computeByNumber}`;
    return runInto(gl, output, {
      name,
      text,
      inputs: {
        ...inputs,
        c: texel,
        ...(weight && { w: gl.store.bufferOf(weight) }),
        ...(bias && { b: gl.store.bufferOf(bias) }),
      },
      ints: {
        xAt: x.offset,
        ...(weight && !inTexels && { wAt: weight.offset }),
        ...(bias && !inTexels && { bAt: bias.offset }),
      },
    });
  });
}

/** GLSL that computes from the index `m` of a result its index `k` in its line, and the index of that line, `line` and `n`. */
function lineIndexText({ shape }: View, axis: number, count: number): string {
  const inner = sizeOf(shape.slice(axis + 1));
  return `int outer = m / ${count * inner};
  int left = m - outer * ${count * inner};
  int k = left / ${inner};
  int line = outer * ${inner} + left - k * ${inner};
  int n = line;`;
}

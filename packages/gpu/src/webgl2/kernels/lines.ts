import { isContiguous, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { joinAxes } from "../../axes.js";
import { stayInRow, walkText } from "../dot-rows.js";
import { runInto, withScratch, type Gl } from "../gl.js";
import { float, maskedScore, quotient } from "../glsl.js";
import { hasResultLayout } from "../layout.js";
import { oneByOne } from "../numbers.js";
import { offsetText } from "../offset-text.js";

/**
 * Functions along an axis, such as softmax. A line is the numbers along the axis with all other indices fixed. Two passes:
 * one thread for each line reduces it to a texel, its maximum and sum for softmax; then each thread computes four results
 * from that texel.
 */
type LineFunction = {
  readonly name: string;
  /**
   * GLSL that reduces a line to a texel. `each(body)` runs `body` for each number `x` of the line. `texels(body)` runs it
   * for each texel `v`; undefined where a line does not consist of whole texels.
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

/** The mean in float32 is a little off, so the mean of the differences from it (`more`) is added. */
const layerNorm = (eps: number, n: number): LineFunction => ({
  name: "layerNorm",
  common: (each) => `float sum = 0.0;
  ${each("sum += x;")}
  float first = sum / ${float(n)};
  float more = 0.0;
  float squares = 0.0;
  ${each("float d = x - first; more += d; squares += d * d;")}
  more /= ${float(n)};
  return vec4(first, more, 1.0 / sqrt(squares / ${float(n)} - more * more + ${float(eps)}), 0.0);`,
  result: "(x - c.x - c.y) * c.z * w + b",
});

export function lineKernels(gl: Gl): Record<string, Kernel<never>> {
  const along =
    (name: string) =>
    ([x]: readonly View[], [output]: readonly View[], { axis }: { axis: number }): boolean =>
      alongLines(gl, lines[name]!, axis, x!, [], output!);
  const norm =
    (make: (eps: number, n: number) => LineFunction) =>
    ([x, ...params]: readonly View[], [output]: readonly View[], { eps }: { eps: number }): boolean =>
      alongLines(gl, make(eps, x!.shape.at(-1)!), x!.shape.length - 1, x!, params, output!);
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
  const starts = joinAxes(others(x.shape), [others(x.strides)]);
  const last = axis === x.shape.length - 1;
  // Whole texels in order: lines are read and written four numbers at a time.
  const inTexels =
    last &&
    count % 4 === 0 &&
    x.offset % 4 === 0 &&
    isContiguous([...x.shape], [...x.strides]) &&
    params.every(({ strides, offset }) => strides[0] === 1 && offset === 0);
  const inputs = { x: gl.store.bufferOf(x) };
  const wide = count / 4;
  const inRow = inTexels && stayInRow({ texture: inputs.x, wide, steps: [x.offset / 4, wide] });
  const { begin, read, next } = walkText({ name: "x", start: "at", inRow }, "place");
  const texels = (body: string) =>
    `{ ${begin} for (int k = 0; k < ${wide}; k++) { vec4 v = ${read}; ${body} ${next} } }`;
  const each = (body: string) =>
    inTexels
      ? texels(["x", "y", "z", "w"].map((lane) => `{ float x = v.${lane}; ${body} }`).join(" "))
      : `for (int k = 0; k < ${count}; k++) { float x = x1(at + k * ${step}); ${body} }`;
  return withScratch(gl, (own) => {
    const texel = own(
      gl.shaders.run({
        name: `${name}Lines`,
        text: `vec4 compute(int n) {
  ${inTexels ? `int at = (xAt >> 2) + n * ${wide};` : offsetText(starts, ["at"], ["xAt"])}
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
  int line = ${quotient("i", wide)};
  int k = i - line * ${wide};
  vec4 v = ${x.offset === 0 && hasResultLayout(inputs.x, sizeOf(output.shape)) ? "xHere()" : "x4((xAt >> 2) + i)"};
  vec4 c = c4(line);
  vec4 w = ${weight ? "w4(k)" : "vec4(1.0)"};
  vec4 b = ${bias ? "b4(k)" : "vec4(0.0)"};
  return vec4(f(v.x, c, w.x, b.x), f(v.y, c, w.y, b.y), f(v.z, c, w.z, b.z), f(v.w, c, w.w, b.w));
}`
      : `float number(int m) {
  ${numberOfLine(output, axis, count)}
  ${offsetText(starts, ["at"], ["xAt"])}
  float x = x1(at + k * ${step});
  vec4 c = c4(line);
  float w = ${ofParam(weight, "w", "1.0")};
  float b = ${ofParam(bias, "b", "0.0")};
  return ${result};
}
${oneByOne}`;
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

/** GLSL for the index `m` of a result: its index `k` in its line, and the index of the line, as `line` and `n`. */
function numberOfLine({ shape }: View, axis: number, count: number): string {
  const inner = sizeOf(shape.slice(axis + 1));
  return `int outer = m / ${count * inner};
  int left = m - outer * ${count * inner};
  int k = left / ${inner};
  int line = outer * ${inner} + left - k * ${inner};
  int n = line;`;
}

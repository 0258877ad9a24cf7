import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import { runInto, type Gl } from "../gl.js";
import { computeByNumber } from "../numbers.js";

type Rotation = { readonly layout: "half" | "interleaved"; readonly inverse: boolean };

/** Rotary positions over [B, H, T, D] of any strides: out[d] = x[d] · cos ∓ x[partner of d] · sin. */
export function rotateKernel(gl: Gl) {
  return (inputs: readonly View[], [output]: readonly View[], { layout, inverse }: Rotation): boolean => {
    const [x, cos, sin] = inputs as [View, View, View];
    const [, H, T, D] = x.shape as [number, number, number, number];
    if (inputs.some(({ dtype }) => dtype !== "float32") || sizeOf(x.shape) === 0) return false;
    const half = cos.shape.at(-1)!;
    const [xb, xh, xt, xd] = x.strides as [number, number, number, number];
    const angle = (name: string, { shape, strides }: View) => {
      const perBatch = shape.length === 3 && shape[0] !== 1 ? strides[0]! : 0;
      return `${name}1(${name}At + b * ${perBatch} + t * ${strides.at(-2)} + pair * ${strides.at(-1)})`;
    };
    const pairs =
      layout === "half"
        ? `int second = d >= ${half} ? 1 : 0; int pair = d - second * ${half}; int other = second == 1 ? pair : d + ${half};`
        : `int second = d & 1; int pair = d >> 1; int other = second == 1 ? d - 1 : d + 1;`;
    return runInto(gl, output!, {
      name: "rotate",
      text: `float number(int n) {
  int row = n / ${D};
  int d = n - row * ${D};
  int bh = row / ${T};
  int t = row - bh * ${T};
  int b = bh / ${H};
  int at = xAt + b * ${xb} + (bh - b * ${H}) * ${xh} + t * ${xt};
  float x = x1(at + d * ${xd});
  if (d >= ${2 * half}) return x;
  ${pairs}
  float rotated = ${inverse ? "-" : ""}x1(at + other * ${xd}) * ${angle("sine", sin)};
  return x * ${angle("cosine", cos)} + (second == 1 ? rotated : -rotated);
}
${computeByNumber}`,
      inputs: {
        x: gl.store.bufferOf(x),
        cosine: gl.store.bufferOf(cos),
        sine: gl.store.bufferOf(sin),
      },
      ints: { xAt: x.offset, cosineAt: cos.offset, sineAt: sin.offset },
    });
  };
}

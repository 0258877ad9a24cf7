import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Buffer } from "../engine.js";
import { divideText, factorText } from "./offset-text.js";
import { runInto, type Scalar } from "./run.js";

type Rotation = { readonly layout: "half" | "interleaved"; readonly inverse: boolean };

/** Rotary positions over [B, H, T, D] of any strides: out[d] = x[d] · cos ∓ x[partner of d] · sin. */
export function rotateKernel<B extends Buffer>(scalar: Scalar<B>) {
  return (inputs: readonly View[], [output]: readonly View[], { layout, inverse }: Rotation): boolean => {
    const [x, cos, sin] = inputs as [View, View, View];
    const [, H, T, D] = x.shape as [number, number, number, number];
    if (inputs.some(({ dtype }) => dtype !== "float32") || sizeOf(x.shape) === 0) return false;
    const half = cos.shape.at(-1)!;
    const [xb, xh, xt, xd] = x.strides.map(factorText) as [string, string, string, string];
    const angle = (name: string, { shape, strides }: View) => {
      const perBatch = shape.length === 3 && shape[0] !== 1 ? strides[0]! : 0;
      return `${name}[${name}Start + b * ${perBatch} + t * ${factorText(strides.at(-2)!)} + pair * ${factorText(strides.at(-1)!)}]`;
    };
    const pairs =
      layout === "half"
        ? `let other = d + ${half};
  let pair = d + 0;
  if (d >= ${half}) { other = d - ${half}; pair = d - ${half}; }`
        : `let other = d + 1;
  if ((d & 1) === 1) { other = d - 1; }
  const pair = d >> 1;`;
    return runInto(scalar, output!, {
      name: "rotate",
      body: `${divideText("row", "n", D)}
  const d = n - row * ${D};
  ${divideText("bh", "row", T)}
  const t = row - bh * ${T};
  ${divideText("b", "bh", H)}
  const at = xStart + b * ${xb} + (bh - b * ${H}) * ${xh} + t * ${xt};
  if (d >= ${2 * half}) { return x[at + d * ${xd}]; }
  ${pairs}
  const rotated = x[at + other * ${xd}] * ${angle("sine", sin)};
  const scaled = x[at + d * ${xd}] * ${angle("cosine", cos)};
  if (other ${inverse ? ">" : "<"} d) { return scaled + rotated; }
  return scaled - rotated;`,
      inputs: {
        x: scalar.store.bufferOf(x),
        cosine: scalar.store.bufferOf(cos),
        sine: scalar.store.bufferOf(sin),
      },
      ints: { xStart: x.offset, cosineStart: cos.offset, sineStart: sin.offset },
    });
  };
}

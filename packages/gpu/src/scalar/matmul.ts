import { broadcastStrides, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { mergeAxes } from "../axes.js";
import type { Buffer } from "../engine.js";
import { divideText, offsetText, factorText } from "./offset-text.js";
import { runInto, type Scalar } from "./run.js";

/** out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n], of any strides. */
export function matmulKernel<B extends Buffer>(scalar: Scalar<B>): Kernel<undefined> {
  return (inputs, [output]) => {
    const [a, b] = inputs as [View, View];
    const [M, K] = a.shape.slice(-2) as [number, number];
    const N = b.shape.at(-1)!;
    if (output!.dtype !== "float32" || sizeOf(output!.shape) * K === 0) return false;
    const batch = output!.shape.slice(0, -2);
    const outer = [a, b].map(({ shape, strides }) =>
      broadcastStrides(batch, shape.slice(0, -2), strides.slice(0, -2)),
    );
    const [aRow, aStep] = a.strides.slice(-2) as [number, number];
    const [bStep, bColumn] = b.strides.slice(-2) as [number, number];
    return runInto(scalar, output!, {
      name: "matmul",
      body: `${divideText("row", "n", N)}
  ${divideText("matrix", "row", M)}
  ${offsetText(mergeAxes(batch, outer), ["aFirst", "bFirst"], ["aStart", "bStart"], { n: "matrix" })}
  const at = aFirst + (row - matrix * ${M}) * ${factorText(aRow)};
  const from = bFirst + (n - row * ${N}) * ${factorText(bColumn)};
  let sum = 0;
  for (let k = 0; k < this.constants.K; k++) {
    sum += a[at + k * ${factorText(aStep)}] * b[from + k * ${factorText(bStep)}];
  }
  return sum;`,
      inputs: { a: scalar.store.bufferOf(a), b: scalar.store.bufferOf(b) },
      ints: { aStart: a.offset, bStart: b.offset },
      constants: { K },
    });
  };
}

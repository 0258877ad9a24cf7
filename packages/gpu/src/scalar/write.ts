import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Buffer } from "../engine.js";
import { divideText, factorText } from "./offset-text.js";
import type { Scalar } from "./run.js";

/**
 * Copies a tensor into a range of another one. Kernels cannot write in place: the whole allocation is computed again and
 * replaces the old one.
 */
export function writeKernel<B extends Buffer>(scalar: Scalar<B>) {
  return (
    [source]: readonly View[],
    [target]: readonly View[],
    { axis, start }: { axis: number; start: number },
  ): boolean => {
    const from = source!;
    const to = target!;
    if (to.dtype !== "float32" || sizeOf(from.shape) === 0) return false;
    // The indices of an element can be computed from its offset if strides descend, as those of slices of a buffer do.
    const order = to.shape.map((_, a) => a).filter((a) => to.shape[a]! > 1 || a === axis);
    if (order.some((a, i) => i > 0 && to.strides[order[i - 1]!]! < to.strides[a]! * to.shape[a]!))
      return false;
    let left = "first";
    const lines = order.map((a) => {
      const begin = a === axis ? "targetStart" : "0";
      const end = a === axis ? "targetStart + rowCount" : `${from.shape[a]}`;
      const step = a === axis ? "sourceStep" : factorText(from.strides[a]!);
      const text = `${divideText(`at${a}`, left, to.strides[a]!)}
  const left${a} = ${left} - at${a} * ${to.strides[a]};
  if (at${a} < ${begin} || at${a} >= ${end}) { return target[n]; }
  const place${a} = (at${a} - ${begin}) * ${step};`;
      left = `left${a}`;
      return text;
    });
    scalar.store.setBuffer(
      to,
      scalar.engine.run({
        name: "write",
        body: `const first = n - targetAt;
  if (first < 0) { return target[n]; }
  ${lines.join("\n  ")}
  if (${left} !== 0) { return target[n]; }
  return source[${["sourceAt", ...order.map((a) => `place${a}`)].join(" + ")}];`,
        inputs: { target: scalar.store.bufferOf(to), source: scalar.store.bufferOf(from) },
        ints: {
          targetAt: to.offset,
          sourceAt: from.offset,
          targetStart: start,
          rowCount: from.shape[axis]!,
          sourceStep: from.strides[axis]!,
        },
        length: to.storage.length,
      }),
    );
    return true;
  };
}

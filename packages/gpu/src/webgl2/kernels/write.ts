import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Gl } from "../gl.js";
import { computeByNumber } from "../numbers.js";

/**
 * Copies a tensor into a range of another one. A shader cannot write to a texture that it reads, so the whole allocation is
 * drawn again and replaces the old one.
 */
export function writeKernel(gl: Gl) {
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
    const lines = order.map((a) => {
      const begin = a === axis ? "targetStart" : "0";
      const end = a === axis ? "targetStart + rowCount" : `${from.shape[a]}`;
      return `{
    int at = rest / ${to.strides[a]};
    rest -= at * ${to.strides[a]};
    if (at < ${begin} || at >= ${end}) return target1(n);
    place += (at - ${begin}) * ${a === axis ? "sourceStep" : from.strides[a]};
  }`;
    });
    const length = to.storage.length;
    const result = gl.shaders.run({
      name: "write",
      text: `float number(int n) {
  int rest = n - targetAt;
  int place = sourceAt;
  if (rest < 0) return target1(n);
  ${lines.join("\n  ")}
  return rest == 0 ? source1(place) : target1(n);
}
${computeByNumber}`,
      inputs: { target: gl.store.bufferOf(to), source: gl.store.bufferOf(from) },
      ints: {
        targetAt: to.offset,
        sourceAt: from.offset,
        targetStart: start,
        rowCount: from.shape[axis]!,
        sourceStep: from.strides[axis]!,
      },
      length,
    });
    gl.store.setBuffer(to, result);
    return true;
  };
}

import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import { mergeAxes } from "../axes.js";
import type { Buffer } from "../engine.js";
import { divideText, offsetText, factorText } from "./offset-text.js";
import { runInto, type Scalar } from "./run.js";

/** Slices along one axis by index. A call with an index out of range is left to the plain kernel, which refuses it. */
export function takeKernel<B extends Buffer>(scalar: Scalar<B>) {
  return ([x, indices]: readonly View[], [output]: readonly View[], { axis }: { axis: number }): boolean => {
    if (x!.dtype !== "float32" || sizeOf(output!.shape) === 0) return false;
    const count = sizeOf(indices!.shape);
    if (indices!.shape.length > 1 && indices!.strides.at(-1) !== 1) return false;
    const { array, offset } = indices!;
    const step = indices!.shape.length === 1 ? indices!.strides[0]! : 1;
    for (let k = 0; k < count; k++) {
      const index = array[offset + k * step]!;
      if (!(index >= 0 && index < x!.shape[axis]!)) return false;
    }
    const inner = x!.shape.slice(axis + 1);
    const innerSize = sizeOf(inner);
    const inside = mergeAxes(inner, [x!.strides.slice(axis + 1)]);
    const outside = mergeAxes(x!.shape.slice(0, axis), [x!.strides.slice(0, axis)]);
    return runInto(scalar, output!, {
      name: "take",
      body: `${divideText("line", "n", innerSize)}
  ${divideText("outer", "line", count)}
  const within = n - line * ${innerSize};
  const k = line - outer * ${count};
  ${offsetText(outside, ["begin"], ["xStart"], { n: "outer", prefix: "out" })}
  ${offsetText(inside, ["at"], ["begin"], { n: "within", prefix: "in" })}
  return x[at + ids[idsStart + k * ${factorText(step)}] * ${factorText(x!.strides[axis]!)}];`,
      inputs: { x: scalar.store.bufferOf(x!), ids: scalar.store.bufferOf(indices!) },
      ints: { xStart: x!.offset, idsStart: offset },
    });
  };
}

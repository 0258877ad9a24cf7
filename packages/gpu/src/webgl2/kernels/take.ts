import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import { runInto, type Gl } from "../gl.js";
import { computeByNumber } from "../numbers.js";

/** Slices along one axis by index. A call with an index out of range is left to the plain kernel, which refuses it. */
export function takeKernel(gl: Gl) {
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
    const lines: string[] = [];
    // GLSL of the offset within a slice (the axes after `axis`), then of the axes before it, from the last axis on.
    let rest = "inside";
    const addIndices = (lengths: readonly number[], strides: readonly number[]) => {
      for (let a = lengths.length - 1; a >= 0; a--) {
        lines.push(`at += (${rest} % ${lengths[a]}) * ${strides[a]}; ${rest} /= ${lengths[a]};`);
      }
    };
    addIndices(inner, x!.strides.slice(axis + 1));
    rest = "outside";
    addIndices(x!.shape.slice(0, axis), x!.strides.slice(0, axis));
    return runInto(gl, output!, {
      name: "take",
      text: `float number(int n) {
  int outside = n / ${count * innerSize};
  int inside = n - outside * ${count * innerSize};
  int k = inside / ${innerSize};
  inside -= k * ${innerSize};
  int at = xAt + int(ids1(idsAt + k * ${step})) * ${x!.strides[axis]};
  ${lines.join("\n  ")}
  return x1(at);
}
${computeByNumber}`,
      inputs: { x: gl.store.bufferOf(x!), ids: gl.store.bufferOf(indices!) },
      ints: { xAt: x!.offset, idsAt: offset },
    });
  };
}

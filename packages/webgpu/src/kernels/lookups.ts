import type { Kernel, View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { checkIndices } from "./indices.js";
import { map } from "./map.js";
import { viewAs } from "./contiguous.js";

type Axis = { readonly axis: number };

/** Kernels that read elements by index. */
export function lookupKernels(context: Context): Record<string, Kernel<never>> {
  const lookup = (
    op: string,
    x: View,
    indices: View,
    output: View,
    axis: number,
    strides: { readonly x: readonly number[]; readonly indices: readonly number[] },
  ): boolean => {
    if (x.dtype === "float64") return false;
    checkIndices(context, op, indices, x.shape[axis]!);
    const shape = output.shape;
    const placed = [
      viewAs(x, { shape, strides: strides.x }),
      viewAs(indices, { shape, strides: strides.indices }),
    ];
    return map(context, op, placed, output, {
      body: `if (b < 0 || b >= p.length) { fault(); return 0u; }
  return aElement(aAt + b * p.step);`,
      bits: new Set([0]),
      bodyReads: new Set([0]),
      faults: true,
      params: (params) => params.i32("length", x.shape[axis]!).i32("step", x.strides[axis]!),
    });
  };
  return {
    // Slices along one axis by index: the result is [outer…, indices…, inner…].
    take: ([x, indices]: readonly View[], [output]: readonly View[], { axis }: Axis) => {
      const [outer, inner] = [x!.strides.slice(0, axis), x!.strides.slice(axis + 1)];
      const none = (list: readonly number[]) => list.map(() => 0);
      return lookup("take", x!, indices!, output!, axis, {
        x: [...outer, ...none(indices!.shape), ...inner],
        indices: [...none(outer), ...indices!.strides, ...none(inner)],
      });
    },
    gather: ([x, indices]: readonly View[], [output]: readonly View[], { axis }: Axis) =>
      lookup("gather", x!, indices!, output!, axis, {
        x: x!.strides.map((stride, a) => (a === axis ? 0 : stride)),
        indices: indices!.strides,
      }),
  };
}

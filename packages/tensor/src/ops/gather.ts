import { eachRow, normalizeAxis, type Shape, sizeOf } from "@qkv/core";
import { checkIndices, checkInside } from "../indices.js";
import { checkTensor, run, type Op } from "../op.js";
import { scatterInto } from "../scatter-into.js";
import type { Tensor } from "../tensor.js";

export const gatherOp: Op<{ axis: number }> = {
  name: "gather",
  dataMovement: true,
  infer([x, indices], { axis }) {
    checkIndices("gather", indices!, x!.shape, axis);
    return [{ shape: indices!.shape, dtype: x!.dtype }];
  },
  kernel([x, indices], [out], { axis }) {
    const length = x!.shape[axis]!;
    const axisStride = x!.strides[axis]!;
    const otherStrides = x!.strides.map((stride, a) => (a === axis ? 0 : stride));
    const strides = [out!.strides, indices!.strides, otherStrides];
    eachRow(
      indices!.shape,
      strides,
      [0, indices!.offset, x!.offset],
      ([o, j, i], [outStep, indexStep, inStep], n) => {
        for (let k = 0; k < n; k++) {
          const index = checkInside("gather", indices!.array[j! + k * indexStep!]!, length);
          out!.array[o! + k * outStep!] = x!.array[i! + k * inStep! + index * axisStride]!;
        }
      },
    );
  },
  backward: ({ inputs: [x, indices], gradients: [dy], attributes: { axis } }) => [
    run(gatherBackwardOp, [dy!, indices!], { axis, shape: x!.shape }),
    undefined,
  ],
};

/** The gradient of `gather`: adds each element of dy to the element from which it was read. */
export const gatherBackwardOp: Op<{ axis: number; shape: Shape }> = {
  name: "gatherBackward",
  infer: ([dy], { shape }) => [{ shape, dtype: dy!.dtype }],
  flops: ([dy]) => sizeOf(dy!.shape),
  kernel([dy, indices], [out], { axis, shape }) {
    // Many gradients may be added to one element: they are summed in float64 and rounded once.
    const sums = new Float64Array(out!.array.length);
    scatterInto(sums, out!.strides, shape[axis]!, indices!, dy!, axis, "add");
    out!.array.set(sums);
  },
  backward: ({ inputs: [, indices], gradients: [ddy], attributes: { axis } }) => [
    gather(ddy!, axis, indices!),
    undefined,
  ],
};

/**
 * Picks one element for each index along an axis, as PyTorch's `gather`: for a matrix and axis 1,
 * `out[i, j] = x[i, indices[i, j]]`. To pick entire slices by index see `take`.
 *
 * @param x - `[…, N, …]`
 * @param indices - int32 with as many axes as `x`, none longer than in `x` except axis `axis`; from 0 to N - 1.
 * @returns The shape of `indices`, the type of `x`.
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {ArgumentError} If an index is out of range, or the indices are not int32.
 *
 * @example
 * ```ts
 * import { gather, tensor } from "@qkv/tensor";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * gather(x, 1, tensor([[2], [0]], { dtype: "int32" })).toNested(); // => [[3], [4]]
 * ```
 */
export function gather(x: Tensor, axis: number, indices: Tensor): Tensor {
  const at = normalizeAxis("gather", axis, checkTensor("gather", "x", x).shape.length);
  return run(gatherOp, [x, checkTensor("gather", "indices", indices)], { axis: at });
}

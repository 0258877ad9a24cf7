import { copyPacked, eachRow, normalizeAxis, refuse, type Shape, stridesOf } from "@qkv/core";
import type { View } from "../contracts.js";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

export const takeOp: Op<{ axis: number }> = {
  name: "take",
  dataMovement: true,
  infer([x, indices], { axis }) {
    if (indices!.dtype !== "int32") {
      refuse(
        "take",
        "indices",
        indices!.dtype,
        "int32",
        'make them with `tensor(values, { dtype: "int32" })` or `cast`.',
      );
    }
    return [
      {
        shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
        dtype: x!.dtype,
      },
    ];
  },
  kernel([x, indices], [out], { axis }) {
    const flatIndices = packedIndices(indices!);
    const length = x!.shape[axis]!;
    // As [outer…, index, inner…]: the slice of each index is a strided copy.
    const otherAxes = (list: readonly number[]) => list.filter((_, a) => a !== axis);
    const shape = otherAxes(x!.shape);
    const outStrides = stridesOf([
      ...x!.shape.slice(0, axis),
      flatIndices.length,
      ...x!.shape.slice(axis + 1),
    ]);
    for (let n = 0; n < flatIndices.length; n++) {
      const index = checkIndex("take", flatIndices[n]!, length);
      const from = x!.offset + index * x!.strides[axis]!;
      eachRow(
        shape,
        [otherAxes(outStrides), otherAxes(x!.strides)],
        [n * outStrides[axis]!, from],
        ([o, i], [outStep, inStep], count) => {
          for (let k = 0; k < count; k++) out!.array[o! + k * outStep!] = x!.array[i! + k * inStep!]!;
        },
      );
    }
  },
  backward: ({ inputs: [x, indices], gradients: [dy], attributes: { axis } }) => [
    run(takeBackwardOp, [dy!, indices!], { axis, shape: x!.shape }),
    undefined,
  ],
};

/** The gradient of `take`: adds each slice of dy to the slice from which it was read. */
export const takeBackwardOp: Op<{ axis: number; shape: Shape }> = {
  name: "takeBackward",
  infer: ([dy], { shape }) => [{ shape, dtype: dy!.dtype }],
  kernel([dy, indices], [out], { axis }) {
    const flatIndices = packedIndices(indices!);
    const rank = indices!.shape.length;
    const otherAxes = (list: readonly number[]) => list.filter((_, a) => a !== axis);
    const dyStrides = [...dy!.strides.slice(0, axis), ...dy!.strides.slice(axis + rank)];
    const shape = otherAxes(out!.shape);
    const indexStrides = stridesOf(indices!.shape);
    for (let n = 0; n < flatIndices.length; n++) {
      let from = dy!.offset;
      for (let a = 0; a < rank; a++) {
        from += (Math.floor(n / indexStrides[a]!) % indices!.shape[a]!) * dy!.strides[axis + a]!;
      }
      eachRow(
        shape,
        [otherAxes(out!.strides), dyStrides],
        [flatIndices[n]! * out!.strides[axis]!, from],
        ([o, i], [outStep, inStep], count) => {
          for (let k = 0; k < count; k++) out!.array[o! + k * outStep!]! += dy!.array[i! + k * inStep!]!;
        },
      );
    }
  },
  backward: ({ inputs: [, indices], gradients: [ddy], attributes: { axis } }) => [
    run(takeOp, [ddy!, indices!], { axis }),
    undefined,
  ],
};

function packedIndices({ array, shape, strides, offset }: View): ArrayLike<number> {
  return copyPacked({ shape, strides, offset, dtype: "int32" }, array);
}

function checkIndex(fn: string, index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  refuse(
    fn,
    "indices",
    index,
    `integers from 0 to ${length - 1}`,
    "look up only what is there; for token ids, check that the tokenizer belongs to the model.",
  );
}

/**
 * Slices along one axis by index, as numpy's `take`: axis `axis` of `x` is replaced by the axes of `indices`.
 *
 * @param x - `[…, N, …]`
 * @param axis - The axis that is indexed.
 * @param indices - int32 of any shape, each from 0 to N - 1.
 * @throws {ArgumentError} If an index is out of range.
 *
 * @example
 * ```ts
 * import { take, tensor } from "@qkv/tensor";
 *
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * take(x, 0, tensor([2, 0], { dtype: "int32" })).toNested(); // => [[5, 6], [1, 2]]
 * ```
 */
export function take(x: Tensor, axis: number, indices: Tensor): Tensor {
  const at = normalizeAxis("take", axis, checkTensor("take", "x", x).shape.length);
  return run(takeOp, [x, checkTensor("take", "indices", indices)], { axis: at });
}

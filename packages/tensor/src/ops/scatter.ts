import {
  checkFloat,
  checkOneOf,
  checkOptions,
  checkSameType,
  copyPacked,
  normalizeAxis,
  refuseShape,
  sameShape,
  type Shape,
  sizeOf,
  stridesOf,
} from "@qkv/core";
import { scalarLike, type Operand } from "../elementwise.js";
import { checkIndices } from "../indices.js";
import { checkTensor, run, type Op, type Spec } from "../op.js";
import { scatterInto } from "../scatter-into.js";
import { fullLike } from "../tensor-like.js";
import { isTensor, type Tensor } from "../tensor.js";
import { broadcastToOp } from "./broadcast-to.js";
import { div } from "./div.js";
import { equal } from "./equal.js";
import { gatherOp } from "./gather.js";
import { where } from "./where.js";

export const scatterOp: Op<{ axis: number }> = {
  name: "scatter",
  dataMovement: true,
  infer: inferScatter,
  kernel([x, indices, source], [out], { axis }) {
    out!.array.set(copyPacked(x!, x!.array));
    scatterInto(out!.array, out!.strides, x!.shape[axis]!, indices!, source!, axis, "write");
  },
  backward({ inputs: [x, indices], gradients: [dy], attributes: { axis }, wants }) {
    const back = () => {
      // If several numbers are written to one element, only the last one has a gradient.
      const seen = run(lastWrittenOp, [indices!], { axis, shape: x!.shape });
      return where(seen, run(gatherOp, [dy!, indices!], { axis }), 0);
    };
    return [wants(0) ? scatter(dy!, axis, indices!, 0) : undefined, undefined, wants(2) ? back() : undefined];
  },
};

/** True for each write that no later write overwrites. */
export const lastWrittenOp: Op<{ axis: number; shape: Shape }> = {
  name: "lastWritten",
  infer: ([indices]) => [{ shape: indices!.shape, dtype: "bool" }],
  kernel([indices], [out], { axis, shape }) {
    // Each write writes its index k. If its element then holds another index, a later write has overwritten it.
    const order = { ...out!, array: Int32Array.from(out!.array, (_, k) => k) };
    const written = { array: new Int32Array(sizeOf(shape)), strides: stridesOf(shape) };
    scatterInto(written.array, written.strides, shape[axis]!, indices!, order, axis, "write");
    const read = { ...out!, array: new Int32Array(order.array.length) };
    gatherOp.kernel!([{ ...out!, ...written, dtype: "int32", shape, offset: 0 }, indices!], [read], { axis });
    for (let k = 0; k < order.array.length; k++) out!.array[k] = Number(read.array[k] === k);
  },
};

export const scatterAddOp: Op<{ axis: number }> = {
  name: "scatterAdd",
  infer: inferScatter,
  flops: ([, , source]) => sizeOf(source!.shape),
  kernel([x, indices, source], [out], { axis }) {
    // Many numbers may be added to one element: they are summed in float64 and rounded once.
    const sums = Float64Array.from(copyPacked(x!, x!.array));
    scatterInto(sums, out!.strides, x!.shape[axis]!, indices!, source!, axis, "add");
    out!.array.set(sums);
  },
  backward: ({ inputs: [, indices], gradients: [dy], attributes: { axis }, wants }) => [
    dy,
    undefined,
    wants(2) ? run(gatherOp, [dy!, indices!], { axis }) : undefined,
  ],
};

export const scatterMaxOp: Op<{ axis: number }> = {
  name: "scatterMax",
  infer: inferScatter,
  flops: ([, , source]) => sizeOf(source!.shape),
  kernel([x, indices, source], [out], { axis }) {
    out!.array.set(copyPacked(x!, x!.array));
    scatterInto(out!.array, out!.strides, x!.shape[axis]!, indices!, source!, axis, "max");
  },
  backward({ inputs: [x, indices, source], outputs: [y], gradients: [dy], attributes, wants }) {
    // Equal maxima share the gradient equally.
    const xIsMaximum = equal(x!, y!);
    const sourceIsMaximum = equal(source!, run(gatherOp, [y!, indices!], attributes));
    const ones = (isMaximum: Tensor) => where(isMaximum, onesShaped(isMaximum, dy!), 0);
    const share = div(
      dy!,
      run(scatterAddOp, [ones(xIsMaximum), indices!, ones(sourceIsMaximum)], attributes),
    );
    return [
      wants(0) ? where(xIsMaximum, share, 0) : undefined,
      undefined,
      wants(2) ? where(sourceIsMaximum, run(gatherOp, [share, indices!], attributes), 0) : undefined,
    ];
  },
};

const onesShaped = ({ shape }: Tensor, like: Tensor) => fullLike(1, shape, like);

/** The mean of the element of x and of all numbers written to it. */
function scatterMean(x: Tensor, indices: Tensor, source: Tensor, axis: number): Tensor {
  const sums = run(scatterAddOp, [x, indices, source], { axis });
  return div(sums, run(scatterAddOp, [onesShaped(x, x), indices, onesShaped(source, x)], { axis }));
}

function inferScatter([x, indices, source]: readonly Tensor[], { axis }: { axis: number }): Spec[] {
  checkIndices("scatter", indices!, x!.shape, axis);
  checkSameType("scatter", "source", source!.dtype, x!.dtype, "x");
  if (!sameShape(source!.shape, indices!.shape)) {
    refuseShape(
      "scatter",
      "source",
      source!.shape,
      `[${indices!.shape.join(", ")}]: a number for each index`,
      "give source the shape of the indices, or give one number for all.",
    );
  }
  return [{ shape: x!.shape, dtype: x!.dtype }];
}

/**
 * A copy of `x` with numbers written at indices, as PyTorch's `scatter` and `scatter_add`: for a matrix and axis 1,
 * `out[i, indices[i, j]] = source[i, j]`. If several numbers are written to one element, it has the last one, in row-major order of
 * the indices; with `reduce`, it has the sum, the maximum (NaN if one is NaN) or the mean of them and of the element of `x`. Equal
 * maxima share the gradient equally.
 *
 * @param x - `[…, N, …]`
 * @param indices - int32 with as many axes as `x`, none longer than in `x` except axis `axis`; from 0 to N - 1.
 * @param source - The shape of the indices, or one number for all of them.
 * @param options - `reduce`: `"add"`, `"max"` or `"mean"`. Default none.
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {ArgumentError} If an index is out of range, the indices are not int32, `source` has another dtype than `x`, or for a mean
 *   of integers.
 *
 * @example
 * ```ts
 * import { scatter, tensor, zeros } from "@qkv/tensor";
 *
 * const ids = tensor([[2], [0]], { dtype: "int32" });
 * scatter(zeros([2, 3]), 1, ids, 1).toNested(); // => [[0, 0, 1], [1, 0, 0]]
 * scatter(zeros([2]), 0, tensor([1, 1], { dtype: "int32" }), tensor([3, 4]), { reduce: "add" }).toNested(); // => [0, 7]
 * ```
 */
export function scatter(
  x: Tensor,
  axis: number,
  indices: Tensor,
  source: Operand,
  options?: { reduce?: "add" | "max" | "mean" },
): Tensor {
  const { reduce } = checkOptions("scatter", options, ["reduce"]);
  const at = normalizeAxis("scatter", axis, checkTensor("scatter", "x", x).shape.length);
  const { shape } = checkTensor("scatter", "indices", indices);
  const numbers = isTensor(source)
    ? source
    : run(broadcastToOp, [scalarLike("scatter", "source", source, x)], { shape });
  if (reduce === undefined) return run(scatterOp, [x, indices, numbers], { axis: at });
  const fix = "leave it out to write each number over what was there.";
  checkOneOf("scatter", "reduce", reduce, ["add", "max", "mean"], fix);
  if (reduce !== "mean")
    return run(reduce === "add" ? scatterAddOp : scatterMaxOp, [x, indices, numbers], { axis: at });
  checkFloat("scatter", x.dtype);
  return scatterMean(x, indices, numbers, at);
}

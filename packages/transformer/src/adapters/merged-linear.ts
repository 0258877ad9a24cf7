import { isPacked } from "@qkv/core";
import {
  add,
  linear,
  matmul,
  mul,
  reshape,
  runAll,
  sizeOf,
  stopGradient,
  sum,
  transpose,
  type Op,
  type Tensor,
} from "@qkv/tensor";

/** Arguments of `y = x (W + s B A)ᵀ + b`: x `[…, in]`, W `[out, in]`, A `[r, in]`, B `[out, r]`, b `[out]`. */
export type MergedLinearCall = {
  readonly x: Tensor;
  /** W, which no gradient goes to. */
  readonly base: Tensor;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
  readonly bias: Tensor | undefined;
};

/**
 * True where a step is faster with the matrix merged: some tape watches the call, so that there is a way back to save, and the matrix is
 * small beside the rows that it meets, in time and in the memory that is held until then.
 */
export function isWorthMerging({ x, base, a, b, bias }: MergedLinearCall): boolean {
  const [out, inner] = base.shape as [number, number];
  const tokens = sizeOf(x.shape) / inner;
  const tapes = new Set([x, a, b, bias].flatMap((one) => (one?.nodes ?? []).map(({ tape }) => tape)));
  // The merged matrix is a constant of the way back: a gradient of the gradient would not see A and B in it.
  return (
    tapes.size === 1 &&
    !isPacked(base.dtype) &&
    base.dtype === x.dtype &&
    4 * inner * out <= tokens * (inner + out)
  );
}

/**
 * `y = x (W + s B A)ᵀ + b` by one product with the sum. The way back has one product with it too, where `x Wᵀ + s (x Aᵀ) Bᵀ` adds two
 * thin ones and two sums over all rows; the gradients of A and B are thin products in both.
 */
export function mergedLinear({ x, base, a, b, scale, bias }: MergedLinearCall): Tensor {
  const merged = add(base, matmul(mul(stopGradient(b), scale), stopGradient(a)));
  const y = linear(stopGradient(x), merged, bias && stopGradient(bias));
  return runAll(mergedLinearOp, bias ? [y, x, a, b, bias] : [y, x, a, b], { merged, scale })[0]!;
}

/** Numbers that were computed already, with the gradient of the product that they are. */
const mergedLinearOp: Op<{ merged: Tensor; scale: number }> = {
  name: "mergedLinear",
  infer: ([y]) => [{ shape: y!.shape, dtype: y!.dtype }],
  view: ({ strides, offset }) => ({ strides, offset }),
  backward({ inputs: [, x, a, b], gradients: [dy], attributes: { merged, scale }, wants }) {
    const [rows, dRows] = [rowsOf(x!), rowsOf(dy!)]; // [N, in], [N, out]
    const inside = () => transpose(mul(matmul(dRows, b!), scale)); // [r, N]
    const products = () => transpose(mul(linear(rows, a!), scale)); // [r, N]
    return [
      undefined,
      wants(1) ? reshape(matmul(dRows, merged), x!.shape) : undefined,
      wants(2) ? matmul(inside(), rows) : undefined,
      wants(3) ? transpose(matmul(products(), dRows)) : undefined,
      wants(4) ? sum(dRows, { axis: 0 }) : undefined,
    ];
  },
};

const rowsOf = (x: Tensor): Tensor => {
  const width = x.shape.at(-1)!;
  return reshape(x, [sizeOf(x.shape) / width, width]);
};

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
  /** W, which is frozen: it gets no gradient. */
  readonly base: Tensor;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
  readonly bias: Tensor | undefined;
};

/**
 * True if a training step is faster with the merged matrix: the call is recorded for gradients, and the matrix is small compared
 * to the rows it multiplies, in time and in memory held until the backward pass.
 */
export function isWorthMerging({ x, base, a, b, bias }: MergedLinearCall): boolean {
  const [out, inner] = base.shape as [number, number];
  const tokens = sizeOf(x.shape) / inner;
  const tapes = new Set([x, a, b, bias].flatMap((input) => (input?.nodes ?? []).map(({ tape }) => tape)));
  // The merged matrix is a constant in the backward pass, so second-order gradients would not reach A and B.
  return (
    tapes.size === 1 &&
    !isPacked(base.dtype) &&
    base.dtype === x.dtype &&
    4 * inner * out <= tokens * (inner + out)
  );
}

/**
 * `y = x (W + s B A)ᵀ + b`, by one product with the sum. The backward pass also has one product with it, while `x Wᵀ + s (x Aᵀ) Bᵀ`
 * has two more low-rank products and two sums over all rows. The gradients of A and B are low-rank products in both.
 */
export function mergedLinear({ x, base, a, b, scale, bias }: MergedLinearCall): Tensor {
  const merged = add(base, matmul(mul(stopGradient(b), scale), stopGradient(a)));
  const y = linear(stopGradient(x), merged, bias && stopGradient(bias));
  return runAll(mergedLinearOp, bias ? [y, x, a, b, bias] : [y, x, a, b], { merged, scale })[0]!;
}

/** Returns the product that `mergedLinear` computed, and defines its gradients. */
const mergedLinearOp: Op<{ merged: Tensor; scale: number }> = {
  name: "mergedLinear",
  infer: ([y]) => [{ shape: y!.shape, dtype: y!.dtype }],
  view: ({ strides, offset }) => ({ strides, offset }),
  backward({ inputs: [, x, a, b], gradients: [dy], attributes: { merged, scale }, wants }) {
    const [rows, dRows] = [asRows(x!), asRows(dy!)]; // [N, in], [N, out]
    const dLow = () => transpose(mul(matmul(dRows, b!), scale)); // [r, N]
    const low = () => transpose(mul(linear(rows, a!), scale)); // [r, N]
    return [
      undefined,
      wants(1) ? reshape(matmul(dRows, merged), x!.shape) : undefined,
      wants(2) ? matmul(dLow(), rows) : undefined,
      wants(3) ? transpose(matmul(low(), dRows)) : undefined,
      wants(4) ? sum(dRows, { axis: 0 }) : undefined,
    ];
  },
};

const asRows = (x: Tensor): Tensor => {
  const width = x.shape.at(-1)!;
  return reshape(x, [sizeOf(x.shape) / width, width]);
};

import { checkFits, normalizeAxis, sizeOf } from "@qkv/core";
import { checkTensor } from "./op.js";
import { reshaped } from "./ops/reshape.js";
import { filled } from "./placed.js";
import type { Tensor } from "./tensor.js";

/** What a norm is told besides its tensors. */
export type NormOptions = {
  /** The first of the axes that are normalised together. Default -1: the last alone. */
  axis?: number;
  /** Added to what is divided by, so that it is never zero. Default 1e-5. */
  eps?: number;
};

/**
 * Runs a norm with the axes from `axis` on as one: `x` as `[…, n]` and each parameter as `[n]`. Parameters must have
 * the shape and the type of these axes; one that is left out before one that is there is ones.
 */
export function overRows(
  fn: string,
  x: Tensor,
  axis: number,
  given: Readonly<Record<string, Tensor | undefined>>,
  norm: (inputs: readonly Tensor[]) => Tensor,
): Tensor {
  const { shape, dtype } = checkTensor(fn, "x", x);
  const first = normalizeAxis(fn, axis, shape.length);
  const row = shape.slice(first);
  const params: Tensor[] = [];
  for (const [argument, param] of Object.entries(given).reverse()) {
    if (!param && params.length === 0) continue;
    const own = param ? checkTensor(fn, argument, param) : filled(1, row, x);
    checkFits(
      fn,
      argument,
      own,
      { dtype, shape: row },
      `the axes of x from ${first} on, as x is [${shape.join(", ")}]`,
      "the norm goes over these axes, and has one number for each place on them; `axis` says where they begin.",
    );
    params.unshift(row.length === 1 ? own : reshaped(own, [sizeOf(row)]));
  }
  if (row.length === 1) return norm([x, ...params]);
  return reshaped(norm([reshaped(x, [...shape.slice(0, first), sizeOf(row)]), ...params]), shape);
}

import { ShapeError } from "@qkv/core";
import { ones } from "./create.js";
import { checkTensor } from "./op.js";
import { reshape } from "./ops/reshape.js";
import { normalizeAxis, sameShape, sizeOf } from "./shape.js";
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
  const { shape, dtype, device } = checkTensor(fn, "x", x);
  const first = normalizeAxis(fn, axis, shape.length);
  const row = shape.slice(first);
  const params: Tensor[] = [];
  for (const [argument, param] of Object.entries(given).reverse()) {
    if (!param && params.length === 0) continue;
    const own = param ? checkTensor(fn, argument, param) : ones(row, { dtype, device });
    if (!sameShape(own.shape, row) || own.dtype !== dtype) {
      throw new ShapeError({
        fn,
        argument,
        received: own.dtype === dtype ? own.shape : own.dtype,
        expected: `${dtype} [${row.join(", ")}], the axes of x from ${first} on, as x is [${shape.join(", ")}]`,
        fix: "the norm goes over these axes, and has one number for each place on them; `axis` says where they begin.",
      });
    }
    params.unshift(row.length === 1 ? own : reshape(own, [sizeOf(row)]));
  }
  if (row.length === 1) return norm([x, ...params]);
  return reshape(norm([reshape(x, [...shape.slice(0, first), sizeOf(row)]), ...params]), shape);
}

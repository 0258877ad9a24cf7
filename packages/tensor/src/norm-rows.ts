import { checkFits, checkOptions, checks, normalizeAxis, sameShape, sizeOf } from "@qkv/core";
import { checkTensor } from "./op.js";
import { reshaped } from "./ops/reshape.js";
import { fullLike } from "./tensor-like.js";
import type { Tensor } from "./tensor.js";

/** Options of a norm. */
export type NormOptions = {
  /** First of the axes that are normalized together. Default -1: only the last. */
  axis?: number;
  /** Added to the variance or mean square, so that the denominator is never zero. Default 1e-5. */
  eps?: number;
};

const layout =
  "the norm goes over these axes, and has one number for each place on them; `axis` says where they begin.";

/**
 * Runs a norm with the axes from `axis` on merged to one: `x` as `[…, n]` and each parameter as `[n]`. Parameters must have the shape
 * of these axes and the dtype of `x`; an omitted parameter before a given one is ones.
 */
export function overRows(
  fn: string,
  x: Tensor,
  options: NormOptions | undefined,
  params: Readonly<Record<string, Tensor | undefined>>,
  norm: (inputs: readonly Tensor[], eps: number) => Tensor,
): Tensor {
  const { eps = 1e-5, axis = -1 } = checkOptions(fn, options, ["eps", "axis"]);
  if (!(Number.isFinite(eps) && eps >= 0)) checks(fn).finite({ eps }, { min: 0 });
  const { shape, dtype } = checkTensor(fn, "x", x);
  const first = normalizeAxis(fn, axis, shape.length);
  const row = shape.slice(first);
  const names = Object.keys(params);
  while (names.length > 0 && params[names.at(-1)!] === undefined) names.pop();
  const inputs = [row.length === 1 ? x : reshaped(x, [...shape.slice(0, first), sizeOf(row)])];
  for (const name of names) {
    const param = params[name];
    const paramRow = param === undefined ? fullLike(1, row, x) : checkTensor(fn, name, param);
    if (paramRow.dtype !== dtype || !sameShape(paramRow.shape, row)) {
      const because = `the axes of x from ${first} on, as x is [${shape.join(", ")}]`;
      checkFits(fn, name, paramRow, { dtype, shape: row }, because, layout);
    }
    inputs.push(row.length === 1 ? paramRow : reshaped(paramRow, [sizeOf(row)]));
  }
  return reshaped(norm(inputs, eps), shape);
}

import { eachRow } from "@qkv/core";
import type { Kernel, View } from "../contracts.js";
import { viewOf } from "../op.js";
import { contiguous } from "../ops/contiguous.js";
import type { Tensor } from "../tensor.js";

/** The update of a row of n numbers of several tensors: number k of tensor t is `arrays[t][at[t] + k * step[t]]`. */
export type RowUpdate<A> = (
  arrays: readonly View["array"][],
  at: readonly number[],
  step: readonly number[],
  length: number,
  attributes: A,
) => void;

/**
 * Updates tensors of one shape in place; all optimizers write by this function. A device may have a kernel of this name: its input is
 * the gradient, its outputs are the tensors to update, and it may return `false` before it changed any.
 *
 * @param targets - Tensors to update. `row` receives them first, and the gradient last.
 */
export function updateInPlace<A>(
  name: string,
  row: RowUpdate<A>,
  gradient: Tensor,
  targets: readonly Tensor[],
  attributes: A,
): void {
  const { device } = gradient;
  const own = device.kernels[name] as Kernel<A> | undefined;
  // The gradient of a transposed weight is a transposed view; kernels need it contiguous.
  const views = [...targets, own ? contiguous(gradient) : gradient].map(viewOf);
  const ran = own !== undefined && own(views.slice(-1), views.slice(0, -1), attributes) !== false;
  if (!ran) {
    const arrays = views.map(({ array }) => array);
    const strides = views.map((view) => view.strides);
    const offsets = views.map(({ offset }) => offset);
    eachRow(gradient.shape, strides, offsets, (at, step, length) =>
      row(arrays, at, step, length, attributes),
    );
  }
  device.countCall(name, ran ? "device" : "plain");
}

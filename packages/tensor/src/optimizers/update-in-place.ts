import { eachRow } from "@qkv/core";
import type { Kernel, View } from "../contracts.js";
import { viewOf } from "../op.js";
import { contiguous } from "../ops/contiguous.js";
import type { Tensor } from "../tensor.js";

/** One row of several tensors at once: number k of tensor t is `arrays[t][at[t] + k * step[t]]`. */
export type RowUpdate<A> = (
  arrays: readonly View["array"][],
  at: readonly number[],
  step: readonly number[],
  length: number,
  attributes: A,
) => void;

/**
 * Changes tensors of one shape in place: the one way in which an optimizer writes. A device may have a faster kernel
 * of this name; it reads the gradient as its input, and changes its outputs, or returns `false` before it changed any.
 *
 * @param targets - Tensors to change. `row` sees them first, and the gradient last.
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
  // The gradient of a transposed weight is a view the other way round: a fast kernel takes it in order.
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

import { reshape, type Tensor } from "@qkv/tensor";

/**
 * The axis of Softmax and LogSoftmax: since opset 13 a single axis, by default the last; before, all axes from `axis` on (by
 * default 1) together.
 *
 * @param along - Applies the function along one axis of a tensor.
 */
export function alongSoftmaxAxis(
  input: Tensor,
  axis: number | undefined,
  opset: number,
  along: (x: Tensor, options: { axis: number }) => Tensor,
): Tensor {
  if (opset >= 13) return along(input, { axis: axis ?? -1 });
  const { shape } = input;
  const rows = product(shape.slice(0, axis ?? 1));
  const flat = reshape(input, [rows, product(shape) / Math.max(rows, 1)]);
  return reshape(along(flat, { axis: 1 }), shape);
}

const product = (sizes: readonly number[]): number => sizes.reduce((result, size) => result * size, 1);

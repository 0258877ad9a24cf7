import { bytesPerElement, checks, sizeOf } from "@qkv/core";
import { observers, type RanOp } from "./op.js";
import type { Tensor } from "./tensor.js";

/** Work of a function, from the shapes that ran. */
export type Counts = {
  /** Floating-point operations: additions, multiplications and calls of functions such as exp count one each, copies none. */
  flops: number;
  /** Bytes of the inputs, each read once per call. */
  bytesRead: number;
  /** Bytes of the outputs. */
  bytesWritten: number;
  /** Number of runs of each op, without views. */
  calls: Record<string, number>;
};

/**
 * Counts the work of a function: floating-point operations, bytes and calls, from the shapes of the ops that ran.
 *
 * @param f - Synchronous function; its result is `result`.
 *
 * @example
 * ```ts
 * import { count, matmul, zeros } from "@qkv/tensor";
 *
 * const { flops, bytesRead, calls } = count(() => matmul(zeros([2, 3]), zeros([3, 4])));
 * flops; // => 48
 * bytesRead; // => 72
 * calls.matmul; // => 1
 * ```
 */
export function count<T>(f: () => T): Counts & { result: T } {
  checks("count").type({ f }, "function");
  const counts: Counts = { flops: 0, bytesRead: 0, bytesWritten: 0, calls: {} };
  const observe = (
    op: RanOp<never>,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ) => {
    if (outputs[0]?.device.isOver) return; // an example of a batch, which is counted as one
    counts.flops +=
      op.flops?.(inputs, outputs, attributes as never) ??
      (op.dataMovement ? 0 : outputs.reduce((n, y) => n + sizeOf(y.shape), 0));
    counts.bytesRead += bytes(inputs);
    counts.bytesWritten += bytes(outputs);
    counts.calls[op.name] = (counts.calls[op.name] ?? 0) + 1;
  };
  observers.add(observe);
  try {
    const result = f();
    return { ...counts, result };
  } finally {
    observers.delete(observe);
  }
}

function bytes(tensors: readonly Tensor[]): number {
  return tensors.reduce((n, { shape, dtype }) => n + sizeOf(shape) * bytesPerElement(dtype), 0);
}

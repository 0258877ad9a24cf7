import { sizeOf, type View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isContiguousView } from "./contiguous-view.js";

/** Rows of a table by index. A call with an index out of range is left to the plain kernel, which refuses it. */
export function takeKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { axis }: { axis: number }): boolean => {
    const [table, indices] = inputs as [View, View];
    const [rows, width] = table.shape as [number, number];
    const fits =
      axis === 0 &&
      table.shape.length === 2 &&
      (table.dtype === "float32" || table.dtype === "int32") &&
      (table.strides[1] === 1 || width === 1) &&
      isContiguousView(indices, "int32");
    if (!fits) return false;
    const numbers = indexArray(indices);
    // Read before allocating, which may replace the buffer of the indices.
    const count = numbers.length;
    if (width * count === 0 || !allInRange(numbers, rows)) return false;
    const step = Math.max(1, Math.floor(32768 / width));
    return withCall(engine, (call) => {
      const [from, at, to] = call.addresses(inputs, outputs) as [number, number, number];
      const items = Math.ceil(count / step);
      return engine.parallel("takeRows", items, 0, from, table.strides[0]!, at, to, count, step, width);
    });
  };
}

/** The gradient: adds each row to the row of the table from which it was taken. */
export function takeBackwardKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { axis }: { axis: number }): boolean => {
    const [dy, indices] = inputs as [View, View];
    const [rows, width] = outputs[0]!.shape as [number, number];
    const fits =
      axis === 0 &&
      outputs[0]!.shape.length === 2 &&
      isContiguousView(dy) &&
      isContiguousView(indices, "int32");
    if (!fits) return false;
    const count = indexArray(indices).length;
    if (rows * width * count === 0) return false;
    return withCall(engine, (call) => {
      const [from, at, to] = call.addresses(inputs, outputs) as [number, number, number];
      return engine.parallel("addRows", Math.ceil(width / 64), 0, from, at, to, rows, count, width);
    });
  };
}

function indexArray({ array, offset, shape }: View): Int32Array {
  return array.subarray(offset, offset + sizeOf(shape)) as Int32Array;
}

function allInRange(numbers: Int32Array, rows: number): boolean {
  for (const index of numbers) if (index < 0 || index >= rows) return false;
  return true;
}

import type { View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isPacked } from "./packed.js";

/** Softmax along the last axis of packed rows. */
export function softmaxKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { axis }: { axis: number }): boolean => {
    const [x] = inputs as [View];
    if (axis !== x.shape.length - 1 || !isPacked(x)) return false;
    return withCall(engine, (call) => overRows(engine, "softmaxRows", x, call.place(inputs, outputs)));
  };
}

/** RMS norm over the last axis of packed rows. */
export function rmsNormKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { eps }: { eps: number }): boolean => {
    const [x, weight] = inputs as [View, View];
    if (!isPacked(x) || !isPacked(weight)) return false;
    return withCall(engine, (call) => overRows(engine, "rmsNormRows", x, call.place(inputs, outputs), eps));
  };
}

/** Numbers of an item, about: long enough that threads spend their time on numbers. */
const chunk = 32768;

/** Runs an export that takes addresses, the number of rows, rows to an item, a row's length, and what else there is. */
function overRows(
  engine: Engine,
  entry: string,
  { shape }: View,
  pointers: number[],
  ...more: number[]
): boolean {
  const n = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  if (n * rows === 0) return false;
  const step = Math.max(1, Math.floor(chunk / n));
  return engine.parallel(entry, Math.ceil(rows / step), 0, ...pointers, rows, step, n, ...more);
}

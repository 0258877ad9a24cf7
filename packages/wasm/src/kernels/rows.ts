import type { View } from "@qkv/tensor";
import { Call, type Exports } from "../call.js";
import type { WasmMemory } from "../memory.js";
import { isPacked } from "./packed.js";

/** Softmax along the last axis of packed rows. */
export function softmaxKernel(exports: Exports, memory: WasmMemory) {
  return (inputs: readonly View[], outputs: readonly View[], { axis }: { axis: number }): boolean => {
    const [x] = inputs as [View];
    if (axis !== x.shape.length - 1 || !isPacked(x)) return false;
    const [n, rows] = rowsOf(x);
    if (n * rows === 0) return false;
    const call = new Call(memory);
    const [from, to] = call.place(inputs, outputs) as [number, number];
    exports["softmaxRows"]!(from, to, rows, n);
    call.end();
    return true;
  };
}

/** RMS norm over the last axis of packed rows. */
export function rmsNormKernel(exports: Exports, memory: WasmMemory) {
  return (inputs: readonly View[], outputs: readonly View[], { eps }: { eps: number }): boolean => {
    const [x, weight] = inputs as [View, View];
    if (!isPacked(x) || !isPacked(weight)) return false;
    const [n, rows] = rowsOf(x);
    if (n * rows === 0) return false;
    const call = new Call(memory);
    const [from, gain, to] = call.place(inputs, outputs) as [number, number, number];
    exports["rmsNormRows"]!(from, gain, to, rows, n, eps);
    call.end();
    return true;
  };
}

function rowsOf({ shape }: View): [length: number, count: number] {
  return [shape.at(-1) ?? 1, shape.slice(0, -1).reduce((a, b) => a * b, 1)];
}

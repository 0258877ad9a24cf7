import type { View } from "@qkv/tensor";
import { Call, type Exports } from "../call.js";
import type { WasmMemory } from "../memory.js";
import { isPacked } from "./packed.js";

/** A function of packed tensors of one shape, number by number: the export takes inputs, output and a count. */
export function elementwiseKernel(name: string, exports: Exports, memory: WasmMemory) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const { shape } = outputs[0]!;
    const size = shape.reduce((a, b) => a * b, 1);
    const fits = inputs.every((view) => isPacked(view) && sameLengths(view.shape, shape));
    if (!fits || size === 0) return false;
    const call = new Call(memory);
    exports[name]!(...call.place(inputs, outputs), size);
    call.end();
    return true;
  };
}

function sameLengths(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

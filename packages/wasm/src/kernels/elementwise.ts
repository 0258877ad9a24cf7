import type { View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isPacked } from "./packed.js";

/** Numbers of an item. The same in assembly/elementwise.ts. */
const chunk = 32768;

/** A function of packed tensors of one shape, number by number: the export takes inputs, output and a count. */
export function elementwiseKernel(name: string, engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const { shape } = outputs[0]!;
    const size = shape.reduce((a, b) => a * b, 1);
    const fits = inputs.every((view) => isPacked(view) && sameLengths(view.shape, shape));
    if (!fits || size === 0) return false;
    return withCall(engine, (call) =>
      engine.parallel(name, Math.ceil(size / chunk), 0, ...call.place(inputs, outputs), size),
    );
  };
}

function sameLengths(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

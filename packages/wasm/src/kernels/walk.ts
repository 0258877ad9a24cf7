import { broadcastStrides, type View } from "@qkv/tensor";
import { bitsOf, type Call } from "../call.js";

/** Numbers of an item, about: long enough that threads spend their time on numbers. */
const chunk = 32768;

/** A walk of some inputs over the shape of a packed output: neighbouring axes that all of them step as one are one. */
export type Walk = {
  /** Number of items. */
  readonly items: number;
  /** Address of the walk, as assembly/elementwise.ts reads it. */
  readonly at: number;
};

/**
 * Writes a walk to memory.
 *
 * @param inputs - Up to three, that broadcast to `shape`.
 * @param pointers - Where each begins, and the output.
 */
export function writeWalk(
  call: Call,
  op: number,
  alpha: number,
  shape: readonly number[],
  inputs: readonly Pick<View, "shape" | "strides">[],
  pointers: readonly number[],
  output: number,
): Walk {
  const strides = inputs.map((view) => broadcastStrides(shape, view.shape, view.strides));
  const axes: { length: number; steps: number[] }[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const inner = axes.at(-1);
    const steps = strides.map((own) => own[axis]!);
    if (inner && steps.every((step, k) => step === inner.steps[k]! * inner.length)) inner.length *= length;
    else axes.push({ length, steps });
  }
  const [row = { length: 1, steps: inputs.map(() => 0) }, ...around] = axes;
  const rows = around.reduce((product, { length }) => product * length, 1);
  const rowsPerItem = Math.max(1, Math.floor(chunk / row.length));
  const part = Math.min(row.length, chunk);
  const words = [op, bitsOf(alpha), row.length, rows, rowsPerItem, part, output];
  for (let k = 0; k < 3; k++) words.push(pointers[k] ?? 0, row.steps[k] ?? 0);
  words.push(around.length);
  for (const { length, steps } of around) words.push(length, steps[0] ?? 0, steps[1] ?? 0, steps[2] ?? 0);
  return { items: Math.ceil(rows / rowsPerItem) * Math.ceil(row.length / part), at: call.write(words) };
}

import { broadcastStrides, type View } from "@qkv/tensor";
import { loopAxisWords, stridedLoopWords } from "../binaries/layout.js";
import type { Call } from "../call.js";

/** Approximate number of elements of a work item: enough to make the cost of distributing items small. */
const elementsPerItem = 32768;

/**
 * The loops of an elementwise kernel over strided inputs and a contiguous output, described in memory for the binary. Adjacent
 * axes that are contiguous in all inputs are merged.
 */
export type StridedLoop = {
  /** Number of work items. */
  readonly items: number;
  /** Address of its description in memory. */
  readonly at: number;
};

/**
 * Writes the description of such loops to memory.
 *
 * @param op - Index of the function among those of the kernel, such as that of `exp` in `unaryFunctions`.
 * @param alpha - Parameter of the function, such as the factor of `swish`; ignored by functions without one.
 * @param inputs - Up to three inputs, which broadcast to `shape`.
 * @param pointers - Address of each input.
 * @param output - Address of the output.
 */
export function writeStridedLoop(
  call: Call,
  op: number,
  alpha: number,
  shape: readonly number[],
  inputs: readonly Pick<View, "shape" | "strides">[],
  pointers: readonly number[],
  output: number,
): StridedLoop {
  const strides = inputs.map((view) => broadcastStrides(shape, view.shape, view.strides));
  const axes: { length: number; steps: number[] }[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const inner = axes.at(-1);
    const steps = strides.map((tensorStrides) => tensorStrides[axis]!);
    if (inner && steps.every((step, k) => step === inner.steps[k]! * inner.length)) inner.length *= length;
    else axes.push({ length, steps });
  }
  const [row = { length: 1, steps: inputs.map(() => 0) }, ...outerAxes] = axes;
  const rows = outerAxes.reduce((product, { length }) => product * length, 1);
  const rowsPerItem = Math.max(1, Math.floor(elementsPerItem / row.length));
  const rowChunk = Math.min(row.length, elementsPerItem);
  const words = stridedLoopWords({
    op,
    alpha,
    n: row.length,
    rows,
    rowsPerItem,
    chunk: rowChunk,
    y: output,
    a: pointers[0] ?? 0,
    aStep: row.steps[0] ?? 0,
    b: pointers[1] ?? 0,
    bStep: row.steps[1] ?? 0,
    c: pointers[2] ?? 0,
    cStep: row.steps[2] ?? 0,
    rank: outerAxes.length,
  });
  for (const { length, steps } of outerAxes) {
    const [aStep = 0, bStep = 0, cStep = 0] = steps;
    words.push(...loopAxisWords({ length, aStep, bStep, cStep }));
  }
  return { items: Math.ceil(rows / rowsPerItem) * Math.ceil(row.length / rowChunk), at: call.write(words) };
}

import { sameShape } from "@qkv/core";
import { sizeOf, type DType, type Kernel, type View } from "@qkv/tensor";
import { binaryFunctions, comparisonFunctions, blockBytes, unaryFunctions } from "../binaries/layout.js";
import { deviceAddress, withCall, type Call } from "../call.js";
import type { Engine } from "../engine.js";
import { isContiguousView } from "./contiguous-view.js";
import { writeStridedLoop } from "./strided-loop.js";

const comparisons: ReadonlySet<string> = /* @__PURE__ */ new Set(comparisonFunctions);

type Attributes = { readonly alpha?: number } | undefined;

/** Kernels of elementwise functions on float32 of any strides, with broadcasting. */
export function elementwiseKernels(engine: Engine): Record<string, Kernel<Attributes>> {
  const kernels: Record<string, Kernel<Attributes>> = {};
  unaryFunctions.forEach((name, op) => (kernels[name] = float32Kernel(engine, "unary", op, "float32")));
  binaryFunctions.forEach((name, op) => {
    const compares = comparisons.has(name);
    kernels[name] = float32Kernel(engine, compares ? "compare" : "binary", op, compares ? "bool" : "float32");
  });
  // The condition is the first input of the operation, and the last of the kernel.
  kernels["where"] = ([condition, a, b], outputs) =>
    condition!.dtype === "bool" && runOnFloats(engine, "choose", 0, [a!, b!, condition!], outputs);
  return kernels;
}

function float32Kernel(engine: Engine, entry: string, op: number, result: DType): Kernel<Attributes> {
  return (inputs, outputs, attributes) =>
    outputs[0]!.dtype === result && runOnFloats(engine, entry, op, inputs, outputs, attributes?.alpha);
}

function runOnFloats(
  engine: Engine,
  entry: string,
  op: number,
  inputs: readonly View[],
  outputs: readonly View[],
  alpha = 1,
): boolean {
  const output = outputs[0]!;
  if (inputs[0]!.dtype !== "float32" || (inputs.length > 1 && inputs[1]!.dtype !== "float32")) return false;
  if (output.shape.includes(0)) return false;
  return (
    runVectors(engine, entry, op, inputs, output, alpha) ||
    runStrided(engine, entry, op, inputs, outputs, alpha)
  );
}

function runStrided(
  engine: Engine,
  entry: string,
  op: number,
  inputs: readonly View[],
  outputs: readonly View[],
  alpha: number,
): boolean {
  return withCall(engine, (call) => {
    const pointers = call.addresses(inputs, outputs);
    const { shape } = outputs[0]!;
    const { items, at } = writeStridedLoop(call, op, alpha, shape, inputs, pointers, pointers.at(-1)!);
    return engine.parallel(entry, items, scratch, at);
  });
}

/** Runs short contiguous operands of full vectors in the device's memory, without any allocation. False for other operands. */
function runVectors(
  engine: Engine,
  entry: string,
  op: number,
  inputs: readonly View[],
  output: View,
  alpha: number,
): boolean {
  const vectorized = vectors[entry];
  const bytes = vectorized === undefined ? 0 : 4 * contiguousLength(inputs, output);
  const a = deviceAddress(inputs[0]!);
  const b = inputs.length > 1 ? deviceAddress(inputs[1]!) : 0;
  const to = deviceAddress(output);
  if (bytes === 0 || a === undefined || b === undefined || to === undefined) return false;
  const run = engine.exports[vectorized!]!;
  if (inputs.length > 1) run(op, a, b, to, bytes);
  else run(op, a, to, bytes, alpha);
  return true;
}

/** Exported kernels for contiguous operands of full vectors. */
const vectors: Readonly<Record<string, string>> = { unary: "unaryVectors", binary: "binaryVectors" };
/** Up to this length, one thread finishes before another one would have started. */
const maxSingleThreaded = 32768;

/** The length of all operands if they are short and contiguous, with full vectors; else 0. */
function contiguousLength(inputs: readonly View[], { shape }: View): number {
  const length = sizeOf(shape);
  if (length > maxSingleThreaded || length % 4 !== 0) return 0;
  for (let i = 0; i < inputs.length; i++) {
    if (!sameShape(inputs[i]!.shape, shape) || !isContiguousView(inputs[i]!)) return 0;
  }
  return length;
}

/** Adds a bias to contiguous rows, in place. */
export function addToRows(
  engine: Engine,
  call: Call,
  rows: number,
  shape: readonly [number, number],
  bias: View,
  at: number,
): boolean {
  const view = { shape, strides: [shape[1], 1] };
  const loop = writeStridedLoop(
    call,
    binaryFunctions.indexOf("add"),
    1,
    shape,
    [view, bias],
    [rows, at],
    rows,
  );
  return engine.parallel("binary", loop.items, scratch, loop.at);
}

/** Scratch bytes of a thread: four blocks. */
const scratch = /* @__PURE__ */ (() => 4 * blockBytes)();

import { sizeOf, type View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isContiguousView } from "./contiguous-view.js";

/** Softmax along the last axis of contiguous tensors. */
export function softmaxKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { axis }: { axis: number }): boolean => {
    const [x] = inputs as [View];
    if (axis !== x.shape.length - 1 || !isContiguousView(x)) return false;
    return withCall(engine, (call) => overRows(engine, "softmaxRows", x, call.addresses(inputs, outputs)));
  };
}

/** RMS norm over the last axis of contiguous tensors. */
export function rmsNormKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { eps }: { eps: number }): boolean => {
    const x = inputs[0]!;
    if (!isContiguousView(x) || !isContiguousView(inputs[1]!)) return false;
    return withCall(engine, (call) =>
      overRows(engine, "rmsNormRows", x, call.addresses(inputs, outputs), eps),
    );
  };
}

/** Layer norm over the last axis of contiguous tensors, with optional weight and bias. */
export function layerNormKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { eps }: { eps: number }): boolean => {
    const [x] = inputs as [View];
    if (!inputs.every((view) => isContiguousView(view))) return false;
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      const [from, weight = 0, bias = 0] = pointers.slice(0, inputs.length) as [number, number?, number?];
      return overRows(engine, "layerNormRows", x, [from, weight, bias, pointers.at(-1)!], eps);
    });
  };
}

type Loss = { readonly ignoreIndex: number; readonly smoothing: number };

/** Cross-entropy over the last axis of contiguous logits. A call with a target out of range is left to the plain kernel, which refuses it. */
export function crossEntropyKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { ignoreIndex, smoothing }: Loss): boolean => {
    const [logits, targets] = inputs as [View, View];
    if (!isContiguousView(logits) || !isContiguousView(targets, "int32")) return false;
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      return overRows(engine, "crossEntropyRows", logits, pointers, ignoreIndex, smoothing);
    });
  };
}

/** Gradient of the loss for contiguous logits. It leaves the same calls to the plain kernel as {@link crossEntropyKernel}. */
export function crossEntropyBackwardKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { ignoreIndex, smoothing }: Loss): boolean => {
    const [logits, targets, , slopes] = inputs as [View, View, View, View];
    if (!isContiguousView(logits) || !isContiguousView(targets, "int32") || !isContiguousView(slopes))
      return false;
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      return overRows(engine, "crossEntropyBackwardRows", logits, pointers, ignoreIndex, smoothing);
    });
  };
}

/** Approximate numbers per work item: enough to make the cost of distributing items small. */
const numbersPerItem = 32768;

/** Runs an export over rows. Its arguments are addresses, number of rows, rows per item, row length, and further ones. */
export function overRows(
  engine: Engine,
  entry: string,
  { shape }: Pick<View, "shape">,
  pointers: readonly number[],
  ...more: number[]
): boolean {
  const n = shape.at(-1) ?? 1;
  const size = sizeOf(shape);
  if (size === 0) return false;
  const rows = size / n;
  const step = Math.max(1, Math.floor(numbersPerItem / n));
  return engine.parallel(entry, Math.ceil(rows / step), 0, ...pointers, rows, step, n, ...more);
}

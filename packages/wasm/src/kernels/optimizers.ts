import { sizeOf, type View } from "@qkv/tensor";
import { deviceAddress, withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isContiguousView } from "./contiguous-view.js";

/** Numbers per work item. */
const step = 32768;

type Adam = Readonly<
  Record<"beta1" | "beta2" | "eps" | "coupled" | "shrink" | "rate" | "correction", number>
>;
type Sgd = Readonly<Record<"rate" | "momentum" | "taken" | "weightDecay", number>> & {
  readonly nesterov: boolean;
};

/** In-place optimizer steps for parameters and moments in the device's memory. */
export function optimizerKernels(engine: Engine) {
  const adam =
    (largest: boolean) =>
    (inputs: readonly View[], targets: readonly View[], attributes: Adam): boolean => {
      const { beta1, beta2, eps, coupled, shrink, rate, correction } = attributes;
      return inPlace(engine, inputs, targets, ([param, mean, square, maxSquare], gradient, n) => [
        "adam",
        ...[param!, mean!, square!, gradient, n, step],
        ...[beta1, beta2, eps, coupled, shrink, rate, correction, largest ? maxSquare! : 0],
      ]);
    };
  return {
    adam: adam(false),
    amsgrad: adam(true),
    sgd: (inputs: readonly View[], targets: readonly View[], attributes: Sgd): boolean => {
      const { rate, momentum, taken, nesterov, weightDecay } = attributes;
      return inPlace(engine, inputs, targets, ([param, velocity = 0], gradient, n) => [
        "sgd",
        ...[param!, velocity, gradient, n, step, rate, momentum, taken, nesterov ? 1 : 0, weightDecay],
      ]);
    },
  };
}

/** Runs a step that updates contiguous tensors in place. */
function inPlace(
  engine: Engine,
  inputs: readonly View[],
  targets: readonly View[],
  kernelCall: (targets: readonly number[], gradient: number, n: number) => [entry: string, ...args: number[]],
): boolean {
  const views = [...targets, ...inputs];
  const onDevice = targets.every((view) => deviceAddress(view) !== undefined);
  const n = sizeOf(targets[0]!.shape);
  if (!onDevice || n === 0 || !views.every((view) => isContiguousView(view))) return false;
  return withCall(engine, (call) => {
    const pointers = call.addresses(views, []);
    const [entry, ...args] = kernelCall(pointers.slice(0, -1), pointers.at(-1)!, n);
    return engine.parallel(entry, Math.ceil(n / step), 16, ...args);
  });
}

import {
  checkFits,
  checkFloat,
  checkOneOf,
  checkOptions,
  copyPacked,
  type DType,
  eachRow,
  refuse,
  refuseShape,
  sizeOf,
  stridesOf,
} from "@qkv/core";
import type { View } from "../contracts.js";
import { checkTensor, run, runAll, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { contiguous } from "./contiguous.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { reshaped } from "./reshape.js";
import { softmaxOp } from "./softmax.js";
import { sub } from "./sub.js";
import { sumTo } from "./sum-to.js";

type Attributes = { ignoreIndex: number; smoothing: number };

/** Losses `[…]` of logits `[…, V]` and targets `[…]`, and a second output `[…]`: 0 for ignored targets, else 1. */
export const crossEntropyOp: Op<Attributes> = {
  name: "crossEntropy",
  infer([logits, targets]) {
    const dtype = checkFloat("crossEntropy", logits!.dtype);
    return [
      { shape: targets!.shape, dtype },
      { shape: targets!.shape, dtype },
    ];
  },
  kernel([logits, targets], [losses, counts], { ignoreIndex, smoothing }) {
    const V = logits!.shape.at(-1)!;
    const dv = logits!.strides.at(-1)!;
    const X = logits!.array;
    const T = packedTargets(targets!, V, ignoreIndex);
    const around = [losses!.strides, logits!.strides.slice(0, -1)];
    eachRow(losses!.shape, around, [0, logits!.offset], ([o, i], [outStep, inStep], length) => {
      for (let n = 0; n < length; n++) {
        const row = o! + n * outStep!;
        const at = i! + n * inStep!;
        if (T[row] === ignoreIndex) continue;
        let largest = -Infinity;
        for (let k = 0; k < V; k++) largest = Math.max(largest, X[at + k * dv]!);
        let [powers, total] = [0, 0];
        for (let k = 0; k < V; k++) {
          const logit = X[at + k * dv]!;
          powers += Math.exp(logit - largest);
          if (smoothing > 0) total += logit - largest;
        }
        const target = X[at + T[row]! * dv]! - largest;
        losses!.array[row] = Math.log(powers) - (1 - smoothing) * target - (smoothing / V) * total;
        counts!.array[row] = 1;
      }
    });
  },
  flops: ([logits]) => 4 * sizeOf(logits!.shape),
  backward({ inputs: [logits, targets], outputs: [, counts], gradients: [dy], attributes }) {
    if (!dy) return [];
    const { kernels, remote } = logits!.device;
    // A remote device without a kernel of this op computes the gradient from several ops.
    if (remote && !kernels["crossEntropyBackward"])
      return [mul(column(dy), distance(logits!, targets!, counts!, attributes))];
    return [run(crossEntropyBackwardOp, [logits!, targets!, counts!, contiguous(dy)], attributes)];
  },
};

/** Gradients of the logits from those of the losses `[…]`: dy · (softmax − target distribution). */
export const crossEntropyBackwardOp: Op<Attributes> = {
  name: "crossEntropyBackward",
  infer: ([logits]) => [{ shape: logits!.shape, dtype: logits!.dtype }],
  kernel([logits, targets, , dy], [out], { ignoreIndex, smoothing }) {
    const V = logits!.shape.at(-1)!;
    const dv = logits!.strides.at(-1)!;
    const [X, Y] = [logits!.array, out!.array];
    const T = packedTargets(targets!, V, ignoreIndex);
    const dL = copyPacked(dy!, dy!.array);
    const around = [stridesOf(dy!.shape), logits!.strides.slice(0, -1)];
    eachRow(dy!.shape, around, [0, logits!.offset], ([o, i], [outStep, inStep], length) => {
      for (let n = 0; n < length; n++) {
        const row = o! + n * outStep!;
        const at = i! + n * inStep!;
        const to = row * V;
        if (T[row] === ignoreIndex) {
          Y.fill(0, to, to + V);
          continue;
        }
        let largest = -Infinity;
        for (let k = 0; k < V; k++) largest = Math.max(largest, X[at + k * dv]!);
        let powers = 0;
        for (let k = 0; k < V; k++) powers += Math.exp(X[at + k * dv]! - largest);
        for (let k = 0; k < V; k++)
          Y[to + k] = dL[row]! * (Math.exp(X[at + k * dv]! - largest) / powers - smoothing / V);
        Y[to + T[row]!]! -= dL[row]! * (1 - smoothing);
      }
    });
  },
  flops: ([logits]) => 5 * sizeOf(logits!.shape),
  backward({ inputs: [logits, targets, counts, dy], gradients: [slope], attributes }) {
    const axis = logits!.shape.length - 1;
    const weights = run(softmaxOp, [logits!], { axis });
    const weighed = mul(weights, slope!);
    const total = (x: Tensor) => sumTo(x, column(dy!).shape);
    const factor = column(mul(dy!, counts!));
    return [
      mul(factor, sub(weighed, mul(weights, total(weighed)))),
      undefined,
      undefined,
      reshaped(total(mul(slope!, distance(logits!, targets!, counts!, attributes))), dy!.shape),
    ];
  },
};

/** The softmax minus the target distribution; zeros for ignored targets. */
function distance(logits: Tensor, targets: Tensor, counts: Tensor, attributes: Attributes): Tensor {
  const { shape, dtype } = logits;
  const wanted = run(targetWeightsOp, [targets], { ...attributes, V: shape.at(-1)!, dtype });
  return sub(mul(run(softmaxOp, [logits], { axis: shape.length - 1 }), column(counts)), wanted);
}

/** `[…]` as `[…, 1]`. */
const column = (x: Tensor): Tensor => reshaped(x, [...x.shape, 1]);

/** The target distribution `[…, V]` of targets `[…]`, with label smoothing; zeros for ignored targets. */
export const targetWeightsOp: Op<Attributes & { V: number; dtype: DType }> = {
  name: "targetWeights",
  infer: ([targets], { V, dtype }) => [{ shape: [...targets!.shape, V], dtype }],
  kernel([targets], [out], { ignoreIndex, smoothing, V }) {
    packedTargets(targets!, V, ignoreIndex).forEach((target, row) => {
      if (target === ignoreIndex) return;
      out!.array.fill(smoothing / V, row * V, (row + 1) * V);
      out!.array[row * V + target]! += 1 - smoothing;
    });
  },
};

function packedTargets({ array, ...view }: View, V: number, ignoreIndex: number): Int32Array {
  const targets = copyPacked(view, array) as Int32Array;
  const wrong = targets.find((target) => target !== ignoreIndex && (target < 0 || target >= V));
  if (wrong === undefined) return targets;
  refuse(
    "crossEntropy",
    "targets",
    wrong,
    `classes from 0 to ${V - 1}, or ${ignoreIndex} for a place to ignore`,
    "check that the tokenizer belongs to the model, and that padding is marked with `ignoreIndex`.",
  );
}

const layout =
  "give one class for each row of logits; `transpose` logits whose classes are not the last axis.";
const plainLoss = "leave it out for the plain loss.";

/** Options of the loss. */
export type CrossEntropyOptions = {
  /** Targets with this value are ignored. Default -100. */
  ignoreIndex?: number;
  /** Part of the target probability that is distributed evenly over all classes, from 0 to 1. Default 0. */
  labelSmoothing?: number;
  /** `"mean"` over targets that are not ignored (default; NaN if there are none), their `"sum"`, or `"none"` for the losses. */
  reduction?: "mean" | "sum" | "none";
};

/**
 * The cross-entropy, or negative log-likelihood of the target classes, in nats: `−log softmax(logits)[target]`.
 *
 * @param logits - `[…, V]`, before softmax; classes are the last axis.
 * @param targets - int32 `[…]`, each from 0 to V - 1 or `ignoreIndex`.
 * @returns One number `[]`, or `[…]` for the reduction `"none"`.
 * @throws {ShapeError} If the targets do not have the shape of the logits without their last axis.
 * @throws {ArgumentError} If a target is out of range, or an option is unknown.
 *
 * @example
 * ```ts
 * import { crossEntropy, tensor } from "@qkv/tensor";
 *
 * const logits = tensor([[0, 0], [0, 1000]]);
 * crossEntropy(logits, tensor([0, -100], { dtype: "int32" })).toNested(); // => 0.6931471824645996
 * ```
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options?: CrossEntropyOptions): Tensor {
  const {
    ignoreIndex = -100,
    labelSmoothing = 0,
    reduction = "mean",
  } = checkOptions("crossEntropy", options, ["ignoreIndex", "labelSmoothing", "reduction"]);
  const rows = checkTensor("crossEntropy", "logits", logits).shape.slice(0, -1);
  if (logits.shape.length === 0) refuseShape("crossEntropy", "logits", [], "[…, classes]", layout);
  checkFits(
    "crossEntropy",
    "targets",
    checkTensor("crossEntropy", "targets", targets),
    { dtype: "int32", shape: rows },
    `as logits are [${logits.shape.join(", ")}] with classes last`,
    layout,
  );
  checkOneOf("crossEntropy", "reduction", reduction, ["mean", "sum", "none"], plainLoss);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    refuse("crossEntropy", "labelSmoothing", labelSmoothing, "a share from 0 to 1", plainLoss);
  const attributes = { ignoreIndex, smoothing: labelSmoothing };
  const [losses, counts] = runAll(crossEntropyOp, [logits, targets], attributes) as [Tensor, Tensor];
  if (reduction === "none") return losses;
  const total = sumTo(losses, []);
  return reduction === "sum" ? total : div(total, sumTo(counts, []));
}

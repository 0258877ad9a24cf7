import { checks } from "@qkv/core";
import { vjp, stopGradient } from "./grad.js";
import { record, type Op } from "./op.js";
import { fullLike } from "./tensor-like.js";
import type { Tensor } from "./tensor.js";
import { mapTensors, tensorsOf } from "./tree.js";

/**
 * Gradient checkpointing: the same function, whose intermediate tensors are not kept for backward but recomputed there. It saves memory
 * and costs time.
 *
 * The arguments have gradients, and so do tensors that the function captures from its surroundings (then its intermediates are
 * kept).
 *
 * @example
 * ```ts
 * import { exp, grad, remat, sum, tensor } from "@qkv/tensor";
 *
 * const f = remat((x) => exp(exp(x)));
 * grad((x) => sum(f(x)))(tensor([0])).toNested(); // => [2.7182817459106445]
 * ```
 */
export function remat<Args extends unknown[] = Tensor[], Y = Tensor>(
  f: (...args: Args) => Y,
): (...args: Args) => Y {
  checks("remat").type({ f }, "function");
  return (...args) => {
    const plain = mapTensors(args, stopGradient);
    const inner = f(...plain);
    const inputs = tensorsOf(args);
    const innerOutputs = tensorsOf(inner);
    const outer = mapTensors(inner, stopGradient);
    const op: Op<undefined> = {
      name: "remat",
      infer: () => [],
      backward({ gradients }) {
        let i = 0;
        const { value, pullback } = vjp((again: Args) => f(...again), args);
        const whole = mapTensors(value, (y) => gradients[i++] ?? fullLike(0, y.shape, y));
        // The inner outputs carry the gradients of captured tensors.
        return [...tensorsOf(pullback(whole)), ...gradients];
      },
    };
    record(op as Op<never>, [...inputs, ...innerOutputs], tensorsOf(outer), undefined);
    return outer;
  };
}

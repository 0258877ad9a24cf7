import { checks, type Checks, isFloat } from "@qkv/core";
import { add } from "../ops/add.js";
import { cast } from "../ops/cast.js";
import { div } from "../ops/div.js";
import { minimum } from "../ops/minimum.js";
import { mul } from "../ops/mul.js";
import { sqrt } from "../ops/sqrt.js";
import { sum } from "../ops/sum.js";
import type { Tensor } from "../tensor.js";
import { mapTensors, tensorsOf } from "../tree.js";
import { checkRate } from "./schedules.js";

/**
 * Scales gradients together, so that their global norm (over all numbers) is at most `maxNorm`:
 * `gradient · min(1, maxNorm / (norm + eps))`. The direction does not change.
 *
 * @param gradients - Tensors nested in objects and lists.
 * @param options - `eps`: default 1e-6, as PyTorch's `clip_grad_norm_`.
 * @returns New `gradients`, with the same nesting, and the `norm` before clipping, `[]`. NaN if a gradient holds NaN.
 * @throws {ArgumentError} If there are no gradients, or `maxNorm` is not a number of 0 or more.
 * @see "On the difficulty of training Recurrent Neural Networks" (2012), arXiv:1211.5063
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { clipGradients } from "@qkv/tensor/optimizers";
 *
 * const { gradients, norm } = clipGradients({ a: tensor([3]), b: tensor([4]) }, 2.5, { eps: 0 });
 * norm.toNested(); // => 5
 * [gradients.a.toNested(), gradients.b.toNested()]; // => [[1.5], [2]]
 * ```
 */
export function clipGradients<P>(
  gradients: P,
  maxNorm: number,
  options?: { eps?: number },
): { gradients: P; norm: Tensor } {
  const check: Checks = checks("clipGradients");
  const { eps = 1e-6 } = check.options(options, ["eps"]);
  check.finite({ eps }, { min: 0 });
  checkRate("clipGradients", "maxNorm", maxNorm);
  const floats = tensorsOf(gradients).filter(({ dtype }) => isFloat(dtype));
  const [first] = floats;
  if (!first) {
    check.refuse({
      argument: "gradients",
      received: gradients,
      expected: "a float tensor, or such tensors nested in objects and lists",
      fix: "pass what `grad` returned.",
    });
  }
  const squares = floats.map((x) => cast(sum(mul(x, x)), first.dtype));
  const norm = sqrt(squares.reduce((a, b) => add(a, b)));
  const scale = minimum(div(maxNorm, add(norm, eps)), 1);
  const clipped = mapTensors(gradients, (x) => (isFloat(x.dtype) ? mul(x, cast(scale, x.dtype)) : x));
  return { gradients: clipped, norm };
}

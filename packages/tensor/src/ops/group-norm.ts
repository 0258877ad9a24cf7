import { checkFits, checkOptions, checks, refuseShape } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { layerNormOp } from "./layer-norm.js";
import { mul } from "./mul.js";
import { reshaped } from "./reshape.js";

/**
 * Normalizes each group of channels of each example to mean 0 and variance 1, then multiplies by a learned weight and adds a learned
 * bias for each channel. With one group per channel it is instance normalization.
 *
 * @param x - `[B, C, …]`: channels are axis 1.
 * @param numGroups - A divisor of C. A group has consecutive channels.
 * @param weight - `[C]`. Default: ones.
 * @param bias - `[C]`. Default: zeros.
 * @param options - `eps`: added to the variance, default 1e-5.
 * @returns The shape of `x`.
 * @throws {ShapeError} If the groups do not divide the channels, or weight or bias are not `[C]`.
 * @see "Group Normalization" (2018), arXiv:1803.08494
 *
 * @example
 * ```ts
 * import { groupNorm, tensor } from "@qkv/tensor";
 *
 * const x = tensor([[[1], [3], [10], [30]]]);
 * groupNorm(x, 2, undefined, undefined, { eps: 0 }).toNested(); // => [[[-1], [1], [-1], [1]]]
 * ```
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight?: Tensor,
  bias?: Tensor,
  options?: { eps?: number },
): Tensor {
  const { eps = 1e-5 } = checkOptions("groupNorm", options, ["eps"]);
  const check = checks("groupNorm");
  check.finite({ eps }, { min: 0 });
  check.whole({ numGroups }, { min: 1 });
  const { shape, dtype } = floatTensor("groupNorm", "x", x);
  const [B, C, ...rest] = shape;
  if (B === undefined || C === undefined || C % numGroups !== 0) {
    const expected = `[batch, channels, …] with a multiple of ${numGroups} channels`;
    refuseShape(
      "groupNorm",
      "x",
      shape,
      expected,
      "channels are axis 1; give a number of groups that divides them.",
    );
  }
  const perChannel = (name: string, param: Tensor | undefined) => {
    if (param === undefined) return undefined;
    const because = `a number for each of the ${C} channels`;
    checkFits(
      "groupNorm",
      name,
      checkTensor("groupNorm", name, param),
      { dtype, shape: [C] },
      because,
      "channels are axis 1 of x.",
    );
    return reshaped(param, [C, ...rest.map(() => 1)]);
  };
  const [scale, shift] = [perChannel("weight", weight), perChannel("bias", bias)];
  const size = rest.reduce((product, length) => product * length, C / numGroups);
  const normal = reshaped(run(layerNormOp, [reshaped(x, [B, numGroups, size])], { eps }), shape);
  const scaled = scale ? mul(normal, scale) : normal;
  return shift ? add(scaled, shift) : scaled;
}

import { broadcastShapes, checkSameType, eachBroadcastRow, refuse } from "@qkv/core";
import { operands, scalarLike, type Operand } from "../elementwise.js";
import { checkTensor, run, type Op } from "../op.js";
import { isTensor, type Tensor } from "../tensor.js";
import { sumTo } from "./sum-to.js";

export const whereOp: Op<undefined> = {
  name: "where",
  dataMovement: true,
  infer([condition, a, b]) {
    if (condition!.dtype !== "bool")
      refuse("where", "condition", condition!.dtype, "bool", "compare for a condition: `greater(x, 0)`.");
    checkSameType("where", "b", b!.dtype, a!.dtype);
    const values = broadcastShapes("where", a!.shape, b!.shape);
    return [{ shape: broadcastShapes("where", condition!.shape, values), dtype: a!.dtype }];
  },
  kernel(inputs, [out]) {
    const [C, A, B] = inputs.map((input) => input.array);
    eachBroadcastRow(out!.shape, [out!, ...inputs], (at, step, n) => {
      const [o, c, i, j] = at as [number, number, number, number];
      const [, dc, di, dj] = step as [number, number, number, number];
      for (let k = 0; k < n; k++)
        out!.array[o + k] = C![c + k * dc] !== 0 ? A![i + k * di]! : B![j + k * dj]!;
    });
  },
  backward: ({ inputs: [condition, a, b], gradients: [dy], wants }) => [
    undefined,
    wants(1) ? sumTo(where(condition!, dy!, 0), a!.shape) : undefined,
    wants(2) ? sumTo(where(condition!, 0, dy!), b!.shape) : undefined,
  ],
};

/**
 * Selects each number from `a` where the condition is true, otherwise from `b`, with broadcasting of all three. Numbers that are not
 * selected have a gradient of 0, even if they are NaN.
 *
 * @param condition - A bool tensor.
 * @param a - A tensor, or a number. Two numbers give float32.
 * @param b - A tensor with the dtype of `a`, or a number.
 * @throws {ArgumentError} If the condition is not a bool tensor, or the dtypes of `a` and `b` differ.
 *
 * @example
 * ```ts
 * import { greater, tensor, where } from "@qkv/tensor";
 *
 * const x = tensor([-1, 2]);
 * where(greater(x, 0), x, 0).toNested(); // => [0, 2]
 * ```
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const { device } = checkTensor("where", "condition", condition);
  const start = isTensor(a) || isTensor(b) ? a : scalarLike("where", "a", a, { dtype: "float32", device });
  return run(whereOp, [condition, ...operands("where", start, b)], undefined);
}

import { binaryOp, type BinaryRow, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sumTo } from "./sum-to.js";

export const mulRow: BinaryRow = (out, o, a, i, di, b, j, dj, n) => {
  // A product of two int32 may need more bits than a float64 has.
  if (out instanceof Int32Array)
    for (let k = 0; k < n; k++) out[o + k] = Math.imul(a[i + k * di]!, b[j + k * dj]!);
  else for (let k = 0; k < n; k++) out[o + k] = a[i + k * di]! * b[j + k * dj]!;
};

export const mulOp = /* @__PURE__ */ binaryOp("mul", mulRow, ({ inputs: [a, b], gradients: [dy], wants }) => [
  wants(0) ? sumTo(run(mulOp, [dy!, b!], undefined), a!.shape) : undefined,
  wants(1) ? sumTo(run(mulOp, [dy!, a!], undefined), b!.shape) : undefined,
]);

/**
 * The elementwise product, with broadcasting. Integers wrap around. For matrices see `matmul`.
 *
 * @example
 * ```ts
 * import { mul, tensor } from "@qkv/tensor";
 *
 * mul(tensor([1, 2]), tensor([3, 4])).toNested(); // => [3, 8]
 * ```
 */
export function mul(a: Operand, b: Operand): Tensor {
  return run(mulOp, operands("mul", a, b), undefined);
}

import { checks, sizeOf } from "@qkv/core";
import { tensor, zeros } from "./create.js";
import { someTensor, vjp } from "./grad.js";
import { refuseIntegers } from "./jvp.js";
import { checkTensor } from "./op.js";
import { reshape } from "./ops/reshape.js";
import { stack } from "./ops/stack.js";
import type { Tensor } from "./tensor.js";
import { mapTensors, tensorsOf } from "./tree.js";

/**
 * The Jacobian of a function: the derivative of each number that it returns with respect to each number of its first
 * argument. One pass forward, and one backward for each number returned.
 *
 * @param f - From params to a tensor of floats.
 * @returns A function of the same argument that returns the Jacobian, nested like the argument: for each tensor, one of shape
 *   `[...shape of f(…), ...shape of the tensor]`. The Jacobian of a gradient is the Hessian.
 *
 * @example
 * ```ts
 * import { grad, jacobian, mul, sum, tensor } from "@qkv/tensor";
 *
 * jacobian((x) => mul(x, x))(tensor([1, 2])).toNested(); // => [[2, 0], [0, 4]]
 * const hessian = jacobian(grad((x) => sum(mul(x, mul(x, x)))));
 * hessian(tensor([1, 2])).toNested(); // => [[6, 0], [0, 12]]
 * ```
 */
export function jacobian<P = Tensor>(f: (params: P) => Tensor): (params: P) => P {
  checks("jacobian").type({ f }, "function");
  return (params) =>
    someTensor("jacobian", params).device.scope(() => {
      const { value, pullback } = vjp(f, params);
      checkTensor("jacobian", "f(…)", value);
      refuseIntegers("jacobian", value);
      const { shape, dtype, device } = value;
      const length = sizeOf(shape);
      const rows = Array.from({ length }, (_, row) => {
        const unit = Array.from({ length }, (_, i) => Number(i === row));
        return tensorsOf(pullback(tensor(unit, { shape, dtype, device })));
      });
      let leaf = 0;
      return mapTensors(params, (param) => {
        const at = leaf++;
        const fullShape = [...shape, ...param.shape];
        return length === 0
          ? zeros(fullShape, { dtype, device })
          : reshape(stack(rows.map((row) => row[at]!)), fullShape);
      });
    });
}

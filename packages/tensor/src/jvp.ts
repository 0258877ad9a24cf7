import { checks, isFloat, refuseShape, sameShape } from "@qkv/core";
import { someTensor, vjp } from "./grad.js";
import { zerosLike } from "./ops/zeros-like.js";
import type { Tensor } from "./tensor.js";
import { mapTensors, tensorsOf } from "./tree.js";

/**
 * The value of a function and its derivative along a direction, the Jacobian–vector product `J · tangents`.
 *
 * It is computed by two `vjp`: the pullback of `f` is linear in its gradient, and the pullback of that linear map is `J · tangents`. So
 * it takes about three times as long as `f`, and needs second gradients of its operations (for `attention`, inside of
 * `secondGradients`). `jvp` of `grad(f)` is a Hessian–vector product.
 *
 * @param f - From params to a tensor, or to tensors nested in objects and lists, all of floats.
 * @param params - A tensor, or tensors nested in objects and lists.
 * @param tangents - The direction, with the nesting and shapes of the params.
 * @returns The value, and its tangent, nested like the value.
 * @throws {ShapeError} If a tangent has another shape than its param.
 *
 * @example
 * ```ts
 * import { grad, jvp, mul, sum, tensor } from "@qkv/tensor";
 *
 * const { tangent } = jvp((x) => mul(x, x), tensor([1, 2, 3]), tensor([1, 0, 10]));
 * tangent.toNested(); // => [2, 0, 60]
 *
 * // A Hessian times a vector.
 * const cubes = grad((x) => sum(mul(x, mul(x, x))));
 * jvp((x) => cubes(x), tensor([1, 2]), tensor([1, 1])).tangent.toNested(); // => [6, 12]
 * ```
 */
export function jvp<P, Y>(f: (params: P) => Y, params: P, tangents: P): { value: Y; tangent: Y } {
  checks("jvp").type({ f }, "function");
  checkTangents(params, tangents);
  return someTensor("jvp", params).device.scope(() => {
    const { value, pullback } = vjp(f, params);
    for (const output of tensorsOf(value)) refuseIntegers("jvp", output);
    const zeros = mapTensors(value, (output) => zerosLike(output));
    return { value, tangent: vjp(pullback, zeros).pullback(tangents) };
  });
}

function checkTangents(params: unknown, tangents: unknown): void {
  const [tangentTensors, paramTensors] = [tensorsOf(tangents), tensorsOf(params)];
  const mismatch = paramTensors.findIndex(
    (param, i) => !tangentTensors[i] || !sameShape(tangentTensors[i].shape, param.shape),
  );
  if (mismatch < 0 && tangentTensors.length === paramTensors.length) return;
  const index = Math.max(0, mismatch);
  refuseShape(
    "jvp",
    "tangents",
    tangentTensors[index]?.shape,
    `one tensor per param, of its shape [${paramTensors[index]?.shape.join(", ")}]`,
    "nest the tangents as the params are nested.",
  );
}

/** Refuses an output that is not a float, which has no derivative. */
export function refuseIntegers(fn: string, output: Tensor): void {
  if (isFloat(output.dtype)) return;
  checks(fn).refuse({
    argument: "dtype of f(…)",
    received: output.dtype,
    expected: "tensors of floats: integers and booleans have no derivative",
    fix: "return what they were made of.",
  });
}

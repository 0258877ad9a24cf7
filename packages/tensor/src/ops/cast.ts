import { checkDType } from "../create.js";
import type { DType } from "../dtype.js";
import { unaryOp } from "../elementwise.js";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

const casts = new Map<DType, Op<undefined>>();

function castOp(dtype: DType): Op<undefined> {
  let op = casts.get(dtype);
  if (!op) {
    const row =
      dtype === "bool"
        ? (...[out, o, x, i, di, n]: Parameters<Parameters<typeof unaryOp>[1]>) => {
            for (let k = 0; k < n; k++) out[o + k] = x[i + k * di] ? 1 : 0;
          }
        : (...[out, o, x, i, di, n]: Parameters<Parameters<typeof unaryOp>[1]>) => {
            for (let k = 0; k < n; k++) out[o + k] = x[i + k * di]!;
          };
    op = unaryOp("cast", row, ({ inputs: [x], gradients: [dy] }) => cast(dy!, x!.dtype), dtype);
    casts.set(dtype, op);
  }
  return op;
}

/**
 * The same numbers as another type. To int32 they are cut towards zero; to bool, all but 0 are true.
 *
 * @example
 * ```ts
 * import { cast, tensor } from "@qkv/tensor";
 *
 * cast(tensor([1.7, -1.7]), "int32").toNested(); // => [1, -1]
 * ```
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkDType("cast", dtype);
  return checkTensor("cast", "x", x).dtype === dtype ? x : run(castOp(dtype), [x], undefined);
}

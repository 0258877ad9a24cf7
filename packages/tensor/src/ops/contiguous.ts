import { unaryOp } from "../elementwise.js";
import { checkTensor, run, type Op } from "../op.js";
import { isContiguous } from "../shape.js";
import type { Tensor } from "../tensor.js";

const copyRows = unaryOp(
  "copy",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = x[i + k * di]!;
  },
  ({ gradients: [dy] }) => dy,
);

export const copyOp: Op<undefined> = { ...copyRows, moves: true };

/** The tensor itself where its numbers lie in row-major order, else a copy in that order. */
export function contiguous(x: Tensor): Tensor {
  return isContiguous(checkTensor("contiguous", "x", x).shape, x.strides) ? x : run(copyOp, [x], undefined);
}

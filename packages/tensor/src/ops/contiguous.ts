import { copyPacked, isContiguous } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

export const copyOp: Op<undefined> = {
  name: "copy",
  infer: ([x]) => [x!],
  kernel([x], [out]) {
    copyPacked(x!, x!.array, out!.array);
  },
  dataMovement: true,
  backward: ({ gradients: [dy] }) => [dy],
};

/** The tensor itself if it is contiguous (row-major), otherwise a contiguous copy. */
export function contiguous(x: Tensor): Tensor {
  return isContiguous(checkTensor("contiguous", "x", x).shape, x.strides) ? x : run(copyOp, [x], undefined);
}

import { matmul } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** MatMul: numpy's rules for vectors, matrices and batches of them, which are those of `matmul`. */
export const matMulOperator = defineOperator({
  name: "MatMul",
  inputs: ["A", "B"],
  run: ({ inputs: { A, B } }) => [matmul(A, B)],
});

import { matmul } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** MatMul: NumPy's rules for vectors, matrices and batches, as in `matmul`. */
export const matMulOperator = defineOperator({
  name: "MatMul",
  inputs: ["A", "B"],
  run: ({ inputs: { A, B } }) => [matmul(A, B)],
});

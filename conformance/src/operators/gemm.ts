import { add, matmul, mul, transpose } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** Gemm: alpha · A' B' + beta · C, where ' transposes if the node says so and C is repeated to the product's shape. */
export const gemmOperator = defineOperator({
  name: "Gemm",
  inputs: ["A", "B"],
  optionalInputs: ["C"],
  // `broadcast` ended with opset 6, and asked for what has happened by itself since.
  attributes: { alpha: 1, beta: 1, transA: 0, transB: 0, broadcast: 0 },
  run({ inputs: { A, B, C }, attributes: { alpha, beta, transA, transB } }) {
    const product = matmul(transA ? transpose(A) : A, transB ? transpose(B) : B);
    // Integers are not multiplied by 1, so that a fraction among the factors is refused and 1 is not.
    const scaled = alpha === 1 ? product : mul(product, alpha);
    return [C ? add(scaled, beta === 1 ? C : mul(C, beta)) : scaled];
  },
});

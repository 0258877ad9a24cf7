import { add, matmul, mul, transpose } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** Gemm: alpha · A' B' + beta · C, where ' is an optional transpose and C broadcasts to the product's shape. */
export const gemmOperator = defineOperator({
  name: "Gemm",
  inputs: ["A", "B"],
  optionalInputs: ["C"],
  // `broadcast` existed up to opset 6; since then broadcasting is automatic.
  attributes: { alpha: 1, beta: 1, transA: 0, transB: 0, broadcast: 0 },
  run({ inputs: { A, B, C }, attributes: { alpha, beta, transA, transB } }) {
    const product = matmul(transA ? transpose(A) : A, transB ? transpose(B) : B);
    // A factor of 1 is skipped, so that integer inputs are accepted with 1 and refused with a fraction.
    const scaled = alpha === 1 ? product : mul(product, alpha);
    return [C ? add(scaled, beta === 1 ? C : mul(C, beta)) : scaled];
  },
});

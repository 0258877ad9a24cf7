import { swiglu } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** SwiGLU: Swish of the first input, with `alpha`, times the second. */
export const swigluOperator = defineOperator({
  name: "SwiGLU",
  inputs: ["A", "B"],
  attributes: { alpha: 1 },
  run: ({ inputs: { A, B }, attributes }) => [swiglu(A, B, attributes)],
});

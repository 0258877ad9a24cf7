import { einsum, type Tensor } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** Einsum, of any number of operands. */
export const einsumOperator = defineOperator({
  name: "Einsum",
  inputs: ["Inputs"],
  variadic: true,
  attributes: { equation: "" },
  run: ({ inputs, attributes: { equation } }) => [einsum(equation, ...(Object.values(inputs) as Tensor[]))],
});

import { swish } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** Swish: x · sigmoid(alpha · x). */
export const swishOperator = defineOperator({
  name: "Swish",
  inputs: ["X"],
  attributes: { alpha: 1 },
  run: ({ inputs: { X }, attributes }) => [swish(X, attributes)],
});

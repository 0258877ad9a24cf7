import { gelu } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** Gelu: exact, or with tanh. */
export const geluOperator = defineOperator({
  name: "Gelu",
  inputs: ["X"],
  attributes: { approximate: "none" as "none" | "tanh" },
  run: ({ inputs: { X }, attributes }) => [gelu(X, attributes)],
});

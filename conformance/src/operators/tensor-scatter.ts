import { scatterUpdate } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** TensorScatter: writes an update into a cache, at an index per batch element. */
export const tensorScatterOperator = defineOperator({
  name: "TensorScatter",
  inputs: ["past_cache", "update"],
  optionalInputs: ["write_indices"],
  attributes: { axis: -2, mode: "linear" as "linear" | "circular" },
  run({ inputs: { past_cache, update, write_indices: writeIndices }, attributes }) {
    return [scatterUpdate(past_cache, update, { ...attributes, ...(writeIndices && { writeIndices }) })];
  },
});

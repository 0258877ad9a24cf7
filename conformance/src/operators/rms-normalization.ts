import { rmsNorm } from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { affineNorm } from "./affine-norm.js";

/** RMSNormalization over the axes from `axis` on. */
export const rmsNormalizationOperator = defineOperator({
  name: "RMSNormalization",
  inputs: ["X", "Scale"],
  attributes: { axis: -1, epsilon: 1e-5, stash_type: 1 },
  run({ inputs, attributes }) {
    const { axis, epsilon: eps } = attributes;
    return [affineNorm(inputs, attributes, (x, weight) => rmsNorm(x, weight, { axis, eps })).output];
  },
});

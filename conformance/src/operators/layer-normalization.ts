import { add, cast, layerNorm, mean, reciprocal, sqrt, variance } from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { affineNorm } from "./affine-norm.js";

/**
 * LayerNormalization. The mean and the inverse standard deviation keep the normalized axes with length 1, and have the dtype of
 * `stash_type`.
 */
export const layerNormalizationOperator = defineOperator({
  name: "LayerNormalization",
  inputs: ["X", "Scale"],
  optionalInputs: ["B"],
  attributes: { axis: -1, epsilon: 1e-5, stash_type: 1 },
  run({ inputs, attributes, wanted }) {
    const { axis, epsilon: eps } = attributes;
    const { output, stage, stashed } = affineNorm(inputs, attributes, (x, weight, bias) =>
      layerNorm(x, weight, bias, { axis, eps }),
    );
    if (!wanted[1] && !wanted[2]) return [output];
    const first = axis < 0 ? axis + stage.shape.length : axis;
    const rows = { axis: stage.shape.map((_, a) => a).slice(first), keepDims: true };
    const spread = sqrt(add(variance(stage, { ...rows, correction: 0 }), eps));
    return [output, cast(mean(stage, rows), stashed), cast(reciprocal(spread), stashed)];
  },
});

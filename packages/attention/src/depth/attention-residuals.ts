import { checks } from "@qkv/core";
import { checkTensor, expandDims, mul, ones, rmsNorm, softmax, sum, type Tensor } from "@qkv/tensor";
import { checkShape } from "../scores/check-shape.js";

export type AttentionResidualsOptions = {
  /** Gain of the RMS norm of the keys, `[C]`. Default: ones. */
  keyNorm?: Tensor;
  /** Factor of the scores. Default 1. */
  scale?: number;
  /** Added to the mean square of a norm. Default 1e-6. */
  eps?: number;
};

/**
 * Attention residuals: attention over depth. Instead of the sum of the outputs of all earlier layers, which grows with depth and weights
 * all layers equally, a layer receives their average, weighted by softmax. Its query is a learned vector; the keys are the outputs after
 * an RMS norm, so that a layer does not get more weight by having larger outputs.
 *
 * @param query - The learned query of the layer, `[C]`. Zeros give the mean of the layers.
 * @param layers - Outputs of the embedding and of the layers so far, `[L, …, C]`, as `stack(outputs, 0)` gives.
 * @returns `output`, `[…, C]`, and `weights`, `[L, …]`, which sum to 1 over the layers.
 * @throws {ShapeError} If the query is not as wide as the layers.
 * @see "Attention Residuals" (2026), arXiv:2603.15031
 *
 * @example
 * ```ts
 * import { attentionResiduals } from "@qkv/attention";
 * import { tensor, zeros } from "@qkv/tensor";
 *
 * const layers = tensor([[[1, 2]], [[3, 6]]]); // [L, T, C]
 * attentionResiduals(zeros([2]), layers).output.toNested(); // => [[2, 4]]
 * ```
 */
export function attentionResiduals(
  query: Tensor,
  layers: Tensor,
  options?: AttentionResidualsOptions,
): { output: Tensor; weights: Tensor } {
  const fn = "attentionResiduals";
  const check = checks(fn);
  const { keyNorm, scale = 1, eps = 1e-6 } = check.options(options, ["keyNorm", "scale", "eps"]);
  const { shape } = checkTensor(fn, "layers", layers);
  check.each({ layers }, () => shape.length >= 2, "[L, …, C]", "stack the outputs: `stack(outputs, 0)`.");
  check.finite({ scale });
  check.finite({ eps }, { min: 0 });
  const C = shape.at(-1)!;
  const fix = "give one number for each channel of the layers.";
  checkShape(fn, "query", query, "[C]", [C], fix);
  const gain = keyNorm
    ? checkShape(fn, "keyNorm", keyNorm, "[C]", [C], fix)
    : ones([C], { dtype: query.dtype, device: query.device });
  const scores = mul(sum(mul(rmsNorm(layers, gain, { eps }), query), { axis: -1 }), scale); // [L, …]
  const weights = softmax(scores, { axis: 0 });
  return { output: sum(mul(expandDims(weights, weights.shape.length), layers), { axis: 0 }), weights };
}

import { add, mean, mul, relu, sqrt, sub, variance, type Tensor } from "@qkv/tensor";
import { normalQuantile } from "@qkv/tensor/random";

/**
 * Sets a fraction of a token's gates to 0 without sorting: `relu(x − (μ + σ · Φ⁻¹(sparsity)))`, with the mean μ and the
 * standard deviation σ of the gates. If these are normally distributed, the fraction is `sparsity`.
 *
 * @param sparsity - Above 0 and below 1: 0.95 keeps about the largest 5 %.
 * @returns A function of gates `[…, F]`.
 * @see "Spark Transformer" (2025), arXiv:2506.06644, whose statistical top-k this is
 */
export function gaussianTopK(sparsity: number): (gates: Tensor) => Tensor {
  const deviations = normalQuantile(sparsity);
  return (gates) => {
    const axisOptions = { axis: -1, keepDims: true };
    const cutoff = add(
      mean(gates, axisOptions),
      mul(sqrt(variance(gates, { ...axisOptions, correction: 0 })), deviations),
    ); // […, 1]
    return relu(sub(gates, cutoff));
  };
}

import { add, mean, mul, relu, sqrt, sub, variance, type Tensor } from "@qkv/tensor";
import { normalQuantile } from "@qkv/tensor/random";

/**
 * Closes a share of a token's gates without sorting them: `relu(x − (μ + σ · Φ⁻¹(sparsity)))`, with the mean μ and the
 * standard deviation σ of its numbers. Of normally distributed numbers that share is 0 afterwards.
 *
 * @param sparsity - Above 0 and below 1: 0.95 keeps about the largest 5 of 100.
 * @returns A function of gates `[…, F]`.
 * @see "Spark Transformer" (2025), arXiv:2506.06644, whose statistical top-k this is
 */
export function gaussianTopK(sparsity: number): (gates: Tensor) => Tensor {
  const deviations = normalQuantile(sparsity);
  return (gates) => {
    const over = { axis: -1, keepDims: true };
    const cutoff = add(mean(gates, over), mul(sqrt(variance(gates, { ...over, correction: 0 })), deviations)); // […, 1]
    return relu(sub(gates, cutoff));
  };
}

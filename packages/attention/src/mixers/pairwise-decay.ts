import { broadcastTo, cumsum, exp, expandDims, transpose, tril, type Tensor } from "@qkv/tensor";

/**
 * Decay from each token of a block to each later one, `exp(Σ_{j<l≤i} logDecay_l)` at row i and column j: 1 on the
 * diagonal, 0 above it. Only sums of what lies in between are exponentiated, so nothing overflows.
 *
 * @param logDecay - `[…, C, M]`, each at most 0.
 * @returns `[…, M, C, C]`
 */
export function pairwiseDecay(logDecay: Tensor): Tensor {
  const C = logDecay.shape.at(-2)!;
  const channels = expandDims(transpose(logDecay), -1); // […, M, C, 1]
  const after = tril(broadcastTo(channels, [...channels.shape.slice(0, -1), C]), -1);
  return tril(exp(cumsum(after, after.shape.length - 2)));
}

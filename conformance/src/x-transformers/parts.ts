import { div, layerNorm, linear, maximum, mul, norm, add, permute, reshape, type Tensor } from "@qkv/tensor";

/** Weights of a module under a prefix: `weight("to_q.weight")`. */
export type Weights = {
  (name: string): Tensor | undefined;
};

/** `x Wᵀ + b` with the weights under a name. */
export function project(weights: Weights, name: string, x: Tensor): Tensor {
  const weight = weights(`${name}.weight`);
  if (!weight) throw new Error(`there is no input \`${name}.weight\``);
  return linear(x, weight, weights(`${name}.bias`));
}

/** `[B, N, heads · D]` to `[B, heads, N, D]`. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [B, N, width] = x.shape as [number, number, number];
  return permute(reshape(x, [B, N, heads, width / heads]), [0, 2, 1, 3]);
}

/** `[B, H, N, D]` to `[B, N, H · D]`. */
export function mergeHeads(x: Tensor): Tensor {
  const [B, H, N, D] = x.shape as [number, number, number, number];
  return reshape(permute(x, [0, 2, 1, 3]), [B, N, H * D]);
}

/** Vectors of unit norm, over groups of the last axis. */
export function unit(x: Tensor, groups = 1): Tensor {
  const grouped = reshape(x, [...x.shape.slice(0, -1), groups, x.shape.at(-1)! / groups]);
  const lengths = maximum(norm(grouped, { axis: -1, keepDims: true }), 1e-12);
  return reshape(div(grouped, lengths), x.shape);
}

/** RMS norm times a weight that is stored minus 1. */
export const unitRms = (x: Tensor, gain: Tensor): Tensor =>
  mul(mul(unit(x), Math.sqrt(x.shape.at(-1)!)), add(gain, 1));

/**
 * A LayerNorm without bias whose weight is stored minus 1, or an RMS norm if there is `g`; the identity without a
 * weight.
 */
export function normalize(weights: Weights, name: string, x: Tensor): Tensor {
  const [gamma, g] = [weights(`${name}.gamma`), weights(`${name}.g`)];
  if (g) return unitRms(x, g);
  if (!gamma) return x;
  return mul(layerNorm(x), add(gamma, 1));
}

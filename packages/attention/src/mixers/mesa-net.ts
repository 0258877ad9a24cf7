import { checks } from "@qkv/core";
import {
  add,
  concat,
  exp,
  cumsum,
  expandDims,
  matmul,
  mul,
  reshape,
  slice,
  squeeze,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { blockRanges } from "./block-ranges.js";
import { queryKeyValue } from "./mixer.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { pairwiseDecay } from "./pairwise-decay.js";
import { solvePositiveDefinite } from "./solve-positive-definite.js";
import { zerosLike } from "./zeros-like.js";

/** Weighted sums over the tokens so far. */
export type MesaNetState = {
  /** Σ β k kᵀ, `[B, H, K, K]` */
  readonly keyKey: Tensor;
  /** Σ β k vᵀ, `[B, H, K, V]` */
  readonly keyValue: Tensor;
};

export type MesaNetOptions = {
  /** Tokens that are computed at once; changes no number but by rounding. Default 16. */
  chunkSize?: number;
};

/**
 * MesaNet: each query is answered by the linear model that fits all values so far best, in the least squares with
 * weights β and a ridge penalty Λ: `o = (Σ β v kᵀ) (Σ β k kᵀ + Λ)⁻¹ q`, both sums decaying. Solved exactly, by
 * Cholesky factors, for each token. A large penalty leaves linear attention, divided by it.
 *
 * Inputs of {@link mix}: query and key `[B, H, T, K]`, value `[B, H, T, V]`; `decay`, natural logarithms, at most 0, and
 * `beta`, the weight of each token, 0 or more, both `[B, H, T]`; `regularization` Λ `[H, K]`, above 0.
 *
 * Costs K³ / 3 operations per token and head beside those of linear attention. Nothing is scaled.
 *
 * @throws {ArgumentError} If an option has an invalid value, or the matrix of a token is not positive definite.
 * @see "MesaNet: Sequence Modeling by Locally Optimal Test-Time Training" (2025), arXiv:2506.05233
 *
 * @example
 * ```ts
 * import { full, randn } from "@qkv/tensor";
 * import { mesaNet, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const gates = { decay: full([1, 2, 6], -0.1), beta: full([1, 2, 6], 1), regularization: full([2, 4], 0.5) };
 * const { output, state } = mix(mesaNet(), { query: x, key: x, value: x, ...gates });
 * [output.shape, state.keyKey.shape]; // => [[1, 2, 6, 4], [1, 2, 4, 4]]
 * ```
 */
export function mesaNet(
  options?: MesaNetOptions,
): OwnFormMixer<"query" | "key" | "value" | "decay" | "beta" | "regularization", never, MesaNetState> {
  const check = checks("mesaNet");
  const { chunkSize = 16 } = check.options(options, ["chunkSize"]);
  check.whole({ chunkSize }, { min: 1, unit: "tokens" });
  return {
    name: "mesaNet()",
    inputs: { ...queryKeyValue, decay: "B H T", beta: "B H T", regularization: "H K" },
    optional: {},
    stateAxes: { keyKey: "B H K K", keyValue: "B H K V" },
    scale: () => 1,
    ownForm({ inputs, initialState }) {
      const { query, key, value, decay, beta, regularization } = inputs;
      const [B, H, T, K] = query.shape as [number, number, number, number];
      let keyKey = initialState?.keyKey ?? zerosLike(query, [B, H, K, K]);
      let keyValue = initialState?.keyValue ?? zerosLike(query, [B, H, K, value.shape[3]!]);
      const ridge = mul(identity(query, K), reshape(regularization, [H, 1, 1, K])); // [H, 1, K, K]
      const outputs = blockRanges(T, chunkSize).map(([start, end]) => {
        const C = end - start;
        const part = (x: Tensor) => slice(x, 2, start, end);
        const [q, k, v, g] = [part(query), part(key), part(value), part(decay)];
        const since = exp(cumsum(g, 2)); // [B, H, C, 1]
        // Row i, column j: the weight that token j has when token i is answered.
        const weight = mul(squeeze(pairwiseDecay(g), 2), transpose(part(beta)));
        const products = reshape(mul(expandDims(k, 4), expandDims(k, 3)), [B, H, C, K * K]);
        const sums = add(mul(since, reshape(keyKey, [B, H, 1, K * K])), matmul(weight, products));
        const solved = solvePositiveDefinite(add(reshape(sums, [B, H, C, K, K]), ridge), q); // [B, H, C, K]
        const within = matmul(mul(weight, matmul(solved, transpose(k))), v);
        const output = add(mul(since, matmul(solved, keyValue)), within);
        const last = slice(weight, 2, -1); // [B, H, 1, C]
        keyKey = reshape(slice(sums, 2, -1), [B, H, K, K]);
        keyValue = add(mul(slice(since, 2, -1), keyValue), matmul(mul(transpose(k), last), v));
        return output;
      });
      return { output: concat(outputs, 2), state: { keyKey, keyValue } };
    },
  };
}

const identity = ({ dtype, device }: Tensor, size: number): Tensor =>
  reshape(
    tensor(
      Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
      { dtype, device },
    ),
    [size, size],
  );

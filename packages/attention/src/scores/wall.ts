import {
  arange,
  cumsum,
  exp,
  expandDims,
  greaterEqual,
  mul,
  reshape,
  slice,
  sub,
  sum,
  where,
  type Tensor,
} from "@qkv/tensor";
import { checkTable } from "../biases/check-table.js";
import type { ScoreForm } from "../score-form.js";
import { checkShape } from "./check-shape.js";

/**
 * Wall attention: each channel of a score fades with what lies between query and key,
 * `scale · Σ_d q_d k_d · exp(Σ g_d)`, the sum over the positions after the key up to the query. Channels that forget
 * see near, channels that keep see far. Keys after the query have no score: call it with a causal mask.
 *
 * A decay that all channels share multiplies each score by the exponential of what {@link forgetting} would add; upstream's
 * scalar gates are that bias itself, `bias: forgetting(logGates)`, and without decay per channel the two are forgetting
 * attention (FoX).
 *
 * Only differences of sums are exponentiated, so strong decay underflows to 0 and nothing overflows. This plain form
 * holds `[B, H, T, S, D]`.
 *
 * @param logDecay - g, natural logarithms of at most 0, `[B, H, S, D]`: for every position and channel of each head.
 * @returns A form for {@link plainAttention}.
 * @throws {ShapeError} If the decay is not `[B, H, S, D]`.
 * @see "Wall Attention" (2026), flash-linear-attention `fla/ops/wall_attn`
 *
 * @example
 * ```ts
 * import { causal, plainAttention, wall } from "@qkv/attention";
 * import { ones, tensor } from "@qkv/tensor";
 *
 * const x = ones([1, 1, 2, 1]); // [B, H, T, D]
 * const logDecay = tensor([[[[0], [Math.log(0.5)]]]]);
 * plainAttention(x, x, x, { mask: causal(), forms: [wall(logDecay)] }).scores.data[2]; // => 0.5
 * ```
 */
export function wall(logDecay: Tensor): ScoreForm {
  checkTable("wall", "logDecay", logDecay);
  return {
    name: "wall(logDecay)",
    dots({ query, key, scale }) {
      const fix = "give the logarithm of the decay of every position, those of the cache included.";
      checkShape("wall", "logDecay", logDecay, "[B, H, S, D]", key.shape, fix);
      const [T, S] = [query.shape[2]!, key.shape[2]!];
      const total = cumsum(logDecay, 2); // [B, H, S, D]
      const device = query.device;
      const past = greaterEqual(
        reshape(arange(T, { device, start: S - T }), [T, 1, 1]),
        reshape(arange(S, { device }), [1, S, 1]),
      );
      const between = sub(expandDims(slice(total, 2, S - T, S), 3), expandDims(total, 2)); // [B, H, T, S, D]
      const kept = exp(where(past, between, -Infinity));
      const products = mul(mul(expandDims(query, 3), expandDims(key, 2)), kept);
      return mul(sum(products, { axis: -1 }), scale); // [B, H, T, S]
    },
  };
}

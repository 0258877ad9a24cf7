import { checks } from "@qkv/core";
import {
  abs,
  add,
  concat,
  div,
  exp,
  log,
  mul,
  ones,
  slice,
  square,
  sub,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/** Options of the preconditioned delta rule. */
export type PreconditionedDeltaRuleOptions = {
  /** Largest factor of a key channel, and the inverse of the smallest. Above 1. Default 1.5. */
  bound?: number;
  /** Logarithm of the second moment at which a channel is left as it is. Default -0.2. */
  center?: number;
  /** Added to second moments before the logarithm. Default 1e-6. */
  eps?: number;
};

/**
 * The gated delta rule with a diagonal preconditioner, as Adam is gradient descent with one: the second moment of each
 * key channel, `m ← exp(decay') m + beta' k²`, says how far a write goes along it. Channels that were written seldom
 * are written with a factor up to `bound`, others with one down to `1 / bound`.
 * `S ← exp(decay) S`, `u = beta (v − Sᵀ k)`, `S ← S + (P ⊙ k) uᵀ`, `o = scale · Sᵀ q`, with
 * `P = bound^(−r / (1 + |r|))`, `r = log(m + eps) − center`.
 *
 * `decay`, `beta`, `momentDecay` and `momentBeta` are `[B, H, T]`, decays as natural logarithms, at most 0. Query and
 * key are used as they come: normalize them to unit norm. The state is `[K, V + 1]`: its last column is m. Costs about
 * 7 · K · V operations per token and head.
 *
 * @throws {ArgumentError} If `bound` is not above 1, or `eps` not above 0.
 * @see The library flash-linear-attention, `precond_gated_delta_rule`
 *
 * @example
 * ```ts
 * import { ones, zeros } from "@qkv/tensor";
 * import { mix, preconditionedDeltaRule } from "@qkv/attention";
 *
 * const one = ones([1, 1, 1, 1]); // [B, H, T, D]
 * const gates = { decay: zeros([1, 1, 1]), beta: ones([1, 1, 1]), momentDecay: zeros([1, 1, 1]), momentBeta: ones([1, 1, 1]) };
 * const mixer = preconditionedDeltaRule({ center: 0, eps: 1e-9 }); // the moment is 1, and P too
 * mix(mixer, { query: one, key: one, value: one, ...gates }).output.toNested(); // => [[[[1]]]]
 * ```
 */
export function preconditionedDeltaRule(
  options?: PreconditionedDeltaRuleOptions,
): Mixer<"query" | "key" | "value" | "decay" | "beta" | "momentDecay" | "momentBeta"> {
  const check = checks("preconditionedDeltaRule");
  const { bound = 1.5, center = -0.2, eps = 1e-6 } = check.options(options, ["bound", "center", "eps"]);
  check.finite({ bound }, { above: 1 });
  check.finite({ center });
  check.finite({ eps }, { above: 0 });
  const precondition = (moments: Tensor): Tensor => {
    const r = sub(log(add(moments, eps)), center);
    return exp(mul(div(r, add(abs(r), 1)), -Math.log(bound)));
  };
  return defineMixer({
    name: "preconditionedDeltaRule()",
    inputs: { ...queryKeyValue, decay: "B H T", beta: "B H T", momentDecay: "B H T", momentBeta: "B H T" },
    stateShape: ({ keyDim, valueDim }) => [keyDim, valueDim + 1],
    mix({ inputs: { query, key, value, decay, beta, momentDecay, momentBeta }, state, scan }) {
      const { dtype, device } = key;
      // The moments are a state of one row: every token reads all of it.
      const one = ones([...key.shape.slice(0, 3), 1], { dtype, device });
      const squares = mul(square(key), momentBeta);
      const moments = scan(
        { query: one, key: one, value: squares, decay: momentDecay },
        transpose(slice(state, 3, -1)),
      );
      const written = scan(
        {
          query,
          key: mul(key, precondition(moments.output)),
          value,
          decay,
          erase: key,
          erases: "after",
          beta,
        },
        slice(state, 3, 0, -1),
      );
      return { output: written.output, state: concat([written.state, transpose(moments.state)], 3) };
    },
  });
}

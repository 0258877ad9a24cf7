import { neg, reshape, stack, zeros, type Tensor } from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";
import type { FactoredScan, Scanned } from "./scan.js";
import { severalSteps } from "./several-steps.js";

/**
 * The delta rule with a transition that is diagonal plus low rank (DPLR), or, without a decay, identity plus low rank (IPLR):
 * `S ← diag(exp(decay)) S + b (aᵀ S) + k vᵀ`, where `aᵀ S` uses the state before the decay; `o = scale · Sᵀ q`. The other delta rules
 * are special cases, with `a = k`, `b = −beta · k` and values multiplied by beta.
 *
 * `a`, `b` and, where given, `decay` (natural logarithms, at most 0) are `[B, H, T, K]`. Costs 9 · K · V operations per
 * token and head.
 *
 * @see "RWKV-7 'Goose' with Expressive Dynamic State Evolution" (2025), arXiv:2503.14456, has its transition; the
 *   library flash-linear-attention has it by this name
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { dplr, mix } from "@qkv/attention";
 *
 * const key = ones([1, 1, 2, 1]); // [B, H, T, K]
 * const value = tensor([[[[8], [3]]]]);
 * const b = tensor([[[[0], [-0.5]]]]); // the second token takes away half of what the state holds
 * mix(dplr(), { query: key, key, value, a: key, b }).output.toNested(); // => [[[[8], [7]]]]
 * ```
 */
export function dplr(): Mixer<"query" | "key" | "value" | "a" | "b", "decay"> {
  return defineMixer({
    name: "dplr()",
    inputs: { ...queryKeyValue, a: "B H T K", b: "B H T K" },
    optional: { decay: "B H T K" },
    mix: ({ inputs, state, scan }) => dplrSteps(inputs, state, scan),
  });
}

type DplrInputs = {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly decay?: Tensor | undefined;
};

/** Computes DPLR with two steps of the scan per token: one decays the state and adds `b (aᵀ S)`, the other adds `k vᵀ`. */
export function dplrSteps(
  { query, key, value, a, b, decay }: DplrInputs,
  state: Tensor,
  scan: FactoredScan,
): Scanned {
  const [B, H, T] = key.shape as [number, number, number];
  /** The tensors of both steps, interleaved: `[B, H, 2 T, …]`. */
  const interleave = (first: Tensor, second: Tensor) =>
    reshape(stack([first, second], 3), [B, H, 2 * T, first.shape[3]!]);
  const zerosLike = ({ shape, dtype, device }: Tensor) => zeros(shape, { dtype, device });
  return severalSteps(scan)(
    {
      query,
      key: interleave(b, key),
      value: interleave(zerosLike(value), value),
      decay: decay && interleave(decay, zerosLike(decay)),
      erase: interleave(neg(a), zerosLike(a)),
    },
    state,
  );
}

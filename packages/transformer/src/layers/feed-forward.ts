import { linear, mul, randn, silu, type Tensor } from "@qkv/tensor";
import type { LinearParams } from "@qkv/attention";

/** The weights of a gated feed-forward layer. */
export type FeedForwardParams = {
  /** `[F, C]` */
  gate: LinearParams;
  /** `[F, C]` */
  up: LinearParams;
  /** `[C, F]` */
  down: LinearParams;
};

/**
 * The gated feed-forward layer of Llama (SwiGLU): `down(silu(gate x) · up x)`, each token by itself.
 *
 * @param config - `embedDim` C, `hiddenDim` F.
 * @see "GLU Variants Improve Transformer" (2020), arXiv:2002.05202
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { feedForward } from "@qkv/transformer";
 *
 * const layer = feedForward({ embedDim: 8, hiddenDim: 20 });
 * layer.apply(layer.init(1), randn([1, 3, 8], { seed: 2 })).shape; // => [1, 3, 8]
 * ```
 */
export function feedForward({ embedDim: C, hiddenDim: F }: { embedDim: number; hiddenDim: number }) {
  return {
    /** Random weights: normal with variance 1 / fan-in. */
    init(seed: number): FeedForwardParams {
      const make = (n: number, out: number, inner: number): LinearParams => ({
        weight: mul(randn([out, inner], { seed: seed * 4 + n }), 1 / Math.sqrt(inner)),
      });
      return { gate: make(0, F, C), up: make(1, F, C), down: make(2, C, F) };
    },
    /** `[…, C]` to `[…, C]`. */
    apply({ gate, up, down }: FeedForwardParams, x: Tensor): Tensor {
      const opened = silu(linear(x, gate.weight, gate.bias)); // […, F]
      return linear(mul(opened, linear(x, up.weight, up.bias)), down.weight, down.bias);
    },
  };
}

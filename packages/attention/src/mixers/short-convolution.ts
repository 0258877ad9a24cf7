import { causalConv, mul, reshape, transpose, type Tensor } from "@qkv/tensor";
import type { OwnFormMixer } from "./own-form-mixer.js";

/** State of the mixer: the tokens that the convolution of the next ones reads. */
export type ShortConvolutionState = {
  /** The last N − 1 gated inputs, `[B, H, N - 1, K]`. */
  readonly inputs: Tensor;
};

/**
 * Gated short convolution: `query ⊙ conv(key ⊙ value)`, a causal convolution over N tokens, each channel on its own, with
 * a gate before and one after. The whole memory is N − 1 tokens: N is 3 in LFM2, which has attention in every few
 * layers for what is further back.
 *
 * Inputs of {@link mix}: value `[B, H, T, K]`; `query`, the gate of the output (C in LFM2), and `key`, the gate of the input
 * (B in LFM2), of the same shape; `taps` `[H, K, N]`, of which the last is multiplied by the newest token; `bias` `[H, K]`, if any.
 *
 * @see "LFM2 Technical Report" (2025), arXiv:2511.23404
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { mix, shortConvolution } from "@qkv/attention";
 *
 * const value = tensor([1, 10, 100, 1000], { shape: [1, 1, 4, 1] }); // [B, H, T, K]
 * const [query, key] = [ones([1, 1, 4, 1]), ones([1, 1, 4, 1])];
 * const taps = tensor([1, 2, 3], { shape: [1, 1, 3] }); // [H, K, N]
 * const { output, state } = mix(shortConvolution(), { query, key, value, taps });
 * [...output.data]; // => [3, 32, 321, 3210]
 * [...state.inputs.data]; // => [100, 1000]
 * ```
 */
export function shortConvolution(): OwnFormMixer<
  "query" | "key" | "value" | "taps",
  "bias",
  ShortConvolutionState
> {
  return {
    name: "shortConvolution()",
    inputs: { query: "B H T K", key: "B H T K", value: "B H T K", taps: "H K N" },
    optional: { bias: "H K" },
    stateAxes: { inputs: "B H P K" }, // P = N - 1 past tokens
    scale: () => 1,
    ownForm({ inputs: { query, key, value, taps, bias }, initialState }) {
      const [B, H, , K] = value.shape as [number, number, number, number];
      const channelsFirst = (x: Tensor) => reshape(transpose(x), [B, H * K, x.shape[2]!]);
      const tokensFirst = (x: Tensor) => transpose(reshape(x, [B, H, K, x.shape[2]!]));
      const convolved = causalConv(
        channelsFirst(mul(key, value)),
        reshape(taps, [H * K, 1, taps.shape[2]!]),
        {
          ...(bias && { bias: reshape(bias, [H * K]) }),
          ...(initialState && { state: channelsFirst(initialState.inputs) }),
        },
      );
      const output = mul(query, tokensFirst(convolved.output));
      return { output, state: { inputs: tokensFirst(convolved.state) } };
    },
  };
}

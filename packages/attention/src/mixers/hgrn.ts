import { ones, reshape } from "@qkv/tensor";
import { channelsAsHeads, headsAsChannels } from "./channels-as-heads.js";
import { defineMixer, type Mixer } from "./mixer.js";

/**
 * The hierarchically gated recurrence (HGRN): every channel is a running sum that decays by a gate of its own,
 * `h ← exp(decay) ⊙ h + x`. There is no query and no key: the output is the state.
 *
 * `value` (x) and `decay` (natural logarithms, at most 0) are `[B, H, T, V]`. The paper's input is `(1 − exp(decay)) ⊙ x`,
 * which the layer computes. The state is `[1, V]`. Costs 3 operations per token and channel.
 *
 * @see "Hierarchically Gated Recurrent Neural Network for Sequence Modeling" (2023), arXiv:2311.04823
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { hgrn, mix } from "@qkv/attention";
 *
 * const value = tensor([[[[8], [1]]]]); // [B, H, T, V]
 * const decay = tensor([[[[0], [Math.log(0.5)]]]]);
 * mix(hgrn(), { value, decay }).output.toNested(); // => [[[[8], [5]]]]
 * ```
 */
export function hgrn(): Mixer<"value" | "decay"> {
  return defineMixer({
    name: "hgrn()",
    inputs: { value: "B H T V", decay: "B H T V" },
    scale: () => 1,
    stateShape: ({ valueDim }) => [1, valueDim],
    mix({ inputs: { value, decay }, state, scan }) {
      const { shape, dtype, device } = value;
      const [B, H, T, V] = shape as [number, number, number, number];
      const one = ones([B, H * V, T, 1], { dtype, device });
      const alone = scan(
        { query: one, key: one, value: channelsAsHeads(value), decay: channelsAsHeads(decay) },
        reshape(state, [B, H * V, 1, 1]),
      );
      return { output: headsAsChannels(alone.output, V), state: reshape(alone.state, [B, H, 1, V]) };
    },
  });
}

import { broadcastTo, equal, arange, cast, expandDims, slice, stack, type Tensor } from "@qkv/tensor";
import { mix, type MixOptions } from "./mix.js";
import { checkInputs } from "./mixer-inputs.js";
import { checkMixer, type Mixer } from "./mixer.js";

/**
 * Computes the attention map that a mixer implies: weights A such that `A · value` equals the output of {@link mix} from a state of
 * zeros. Weights may be negative, for example in the delta rule, which erases. The mixer must be linear in its values, as are all
 * mixers with a step that is linear in the state; the map is its output for one-hot values.
 *
 * @returns `[B, H, T, T]`; where a gate is per value channel `[B, H, V, T, T]`, one map for each. For a mixer with n
 *   steps a token the last axis is T · n.
 * @throws As {@link mix}.
 * @see "The Hidden Attention of Mamba Models" (2024), arXiv:2403.01590
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { impliedWeights, linearAttention } from "@qkv/attention";
 *
 * const one = ones([1, 1, 2, 1]); // [B, H, T, D]
 * const mixer = linearAttention({ normalize: true });
 * impliedWeights(mixer, { query: one, key: one, value: one }).toNested(); // => [[[[1, 0], [0.5, 0.5]]]]
 * ```
 */
export function impliedWeights<Required extends string, Optional extends string>(
  mixer: Mixer<Required, Optional>,
  inputs: Readonly<Record<Required, Tensor> & Partial<Record<Optional, Tensor>>>,
  options?: Omit<MixOptions, "initialState">,
): Tensor {
  checkMixer("impliedWeights", mixer);
  checkInputs("impliedWeights", mixer, inputs);
  const tensors: Readonly<Record<string, Tensor>> = inputs;
  const { shape, dtype, device } = tensors["value"]!;
  const [length, numChannels] = shape.slice(2) as [number, number];
  const positions = arange(length, { device });
  const identity = cast(equal(expandDims(positions, 0), expandDims(positions, 1)), dtype);
  const value = broadcastTo(identity, [...shape.slice(0, 2), length, length]);
  const axesOf: Readonly<Record<string, string>> = { ...mixer.inputs, ...mixer.optional };
  const gates = Object.keys(tensors).filter(
    (name) => name !== "value" && axesOf[name]!.endsWith("V") && tensors[name]!.shape.length === 4,
  );
  const outputWith = (gates: Readonly<Record<string, Tensor>>) =>
    mix(mixer, { ...inputs, ...gates, value }, options).output;
  if (gates.length === 0) return outputWith({});
  // Each value channel has its own map: that of a call in which all channels have the gates of this channel.
  const maps = Array.from({ length: numChannels }, (_, channel) =>
    outputWith(
      Object.fromEntries(
        gates.map((name) => {
          const gate = slice(tensors[name]!, 3, channel, channel + 1);
          return [name, broadcastTo(gate, [...gate.shape.slice(0, 3), length])];
        }),
      ),
    ),
  );
  return stack(maps, 2);
}

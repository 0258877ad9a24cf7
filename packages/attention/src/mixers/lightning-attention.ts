import { checks } from "@qkv/core";
import { decayPerHead } from "./decay-per-head.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/** Index of a layer of lightning attention, and the number of layers. */
export type LightningAttentionOptions = {
  /** Index of the layer, from 0. */
  layer: number;
  /** Layers of the model. */
  numLayers: number;
};

/**
 * Lightning attention: linear attention whose state decays by the same factor at every token, one for each head and
 * layer. `S ← exp(−slope) S + k vᵀ`, `o = scale · Sᵀ q`, with `slope = 8 h / H · (1 − layer / numLayers)` for head h
 * from 0: head 0 never forgets, and later layers forget less. It is {@link simpleGla} with a constant decay.
 *
 * Costs 5 · K · V operations per token and head.
 *
 * @throws {ArgumentError} If `layer` is not an integer from 0 to `numLayers - 1`.
 * @see "Lightning Attention-2" (2024), arXiv:2401.04658; "MiniMax-01" (2025), arXiv:2501.08313, has slopes of its own
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { lightningAttention, mix } from "@qkv/attention";
 *
 * const one = ones([1, 1, 3, 1]); // [B, H, T, D]
 * const mixer = lightningAttention({ layer: 0, numLayers: 24 });
 * mix(mixer, { query: one, key: one, value: one }).output.toNested(); // => [[[[1], [2], [3]]]]
 * ```
 */
export function lightningAttention(options: LightningAttentionOptions): Mixer<"query" | "key" | "value"> {
  const check = checks("lightningAttention");
  const { layer, numLayers } = check.options(options, ["layer", "numLayers"]);
  check.whole({ numLayers }, { min: 1, unit: "layers" });
  check.whole({ layer }, { min: 0, below: numLayers, fix: "count layers from 0." });
  const reach = 8 * (1 - layer / numLayers);
  return defineMixer({
    name: `lightningAttention({ layer: ${layer}, numLayers: ${numLayers} })`,
    inputs: queryKeyValue,
    scaled: "reads",
    mix: ({ inputs, state, scan }) =>
      scan({ ...inputs, decay: decayPerHead((head, H) => (-reach * head) / H, inputs.key) }, state),
  });
}

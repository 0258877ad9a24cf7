import { checks } from "@qkv/core";
import { checkShape } from "./check-call.js";
import type { ModelShape } from "./model-shape.js";
import { parts } from "./parts.js";

/** Number of parameters of a model. */
export type Parameters = {
  readonly total: number;
  /** Active parameters of one token: fewer than `total` in a mixture of experts. */
  readonly active: number;
  /** Parameters by part, summed over its layers; `times`: number of layers. Parts without parameters are left out. */
  readonly parts: readonly { readonly name: string; readonly times: number; readonly parameters: number }[];
};

/**
 * Counts the parameters of a model: exactly the elements of its published weights.
 *
 * @example
 * ```ts
 * import { parameters, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({
 *   model_type: "mixtral", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8,
 *   intermediate_size: 14336, vocab_size: 32000, num_local_experts: 8, num_experts_per_tok: 2,
 * });
 * parameters(shape).total; // => 46702792704
 * parameters(shape).active; // => 12879925248
 * ```
 */
export function parameters(shape: ModelShape): Parameters {
  checkShape(checks("parameters"), shape);
  const modelParts = parts(shape);
  return {
    total: modelParts.reduce((sum, part) => sum + part.parameters * part.times, 0),
    active: modelParts.reduce((sum, part) => sum + part.activeParameters * part.times, 0),
    parts: modelParts
      .filter((part) => part.parameters > 0)
      .map(({ name, times, parameters }) => ({ name, times, parameters: parameters * times })),
  };
}

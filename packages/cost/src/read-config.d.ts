import type { ModelShape } from "./model-shape.js";
/**
 * Reads the shape of a model from its Hugging Face `config.json`, or from a row of a table of shapes (`architecture`,
 * `n_layers`, `d_model`, `n_heads`, `n_kv_heads`, `head_dim`, `d_ff`, `vocab_size`, …). What is no size — biases,
 * norms, learned positions — follows from `model_type`, as the published weights of each architecture have it.
 *
 * Of a model that also sees or hears, the decoder of text is read (`text_config`).
 *
 * @param config - The object in the file, or its text.
 * @throws {ArgumentError} If the architecture is not known, a size is missing or no whole number, or heads do not
 *   divide. In a table of shapes a `null` where a size must be is refused with the name of its field.
 *
 * @example
 * ```ts
 * import { parameters, readConfig } from "@qkv/cost";
 *
 * const gpt2 = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * parameters(gpt2).total; // => 124439808
 * readConfig({ model_type: "llama" }); // => throws ArgumentError: `hidden_size`
 * ```
 */
export declare function readConfig(config: unknown): ModelShape;

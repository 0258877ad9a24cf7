/** A configuration as JSON gives it. */
export type Config = Readonly<Record<string, unknown>>;
/** The same size under the names that different architectures and tables have for it. */
declare const spellings: {
  readonly layers: readonly ["num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers"];
  readonly width: readonly ["hidden_size", "n_embd", "d_model", "n_embed", "dim"];
  readonly heads: readonly [
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
    "encoder_attention_heads",
  ];
  readonly kvHeads: readonly ["num_key_value_heads", "num_kv_heads", "n_kv_heads", "multi_query_group_num"];
  readonly headDim: readonly ["head_dim", "d_kv", "kv_channels"];
  readonly hidden: readonly [
    "intermediate_size",
    "n_inner",
    "d_ff",
    "ffn_dim",
    "ffn_hidden_size",
    "hidden_dim",
    "encoder_ffn_dim",
  ];
  readonly vocabulary: readonly ["vocab_size"];
  readonly positions: readonly [
    "max_position_embeddings",
    "n_positions",
    "max_positions",
    "max_sequence_length",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
  ];
  readonly experts: readonly ["num_local_experts", "n_routed_experts", "num_experts", "n_experts"];
  readonly expertsPerToken: readonly ["num_experts_per_tok", "n_experts_per_token", "moe_topk"];
  readonly expertHidden: readonly ["moe_intermediate_size", "moe_d_ff"];
  readonly sharedExperts: readonly ["n_shared_experts"];
  readonly denseLayers: readonly ["first_k_dense_replace", "n_dense_layers"];
  readonly decoderLayers: readonly ["num_decoder_layers", "decoder_layers", "n_decoder_layers"];
  readonly window: readonly ["sliding_window", "window_size", "local_attention"];
};
/** What a size is called here. */
export type Size = keyof typeof spellings;
/**
 * Reads sizes from a configuration. What is absent or `null` takes the value that the architecture has then, and where
 * it has none the error names the field.
 */
export declare function configFields(
  config: Config,
  fn?: string,
): {
  config: Readonly<Record<string, unknown>>;
  /** A size of at least 1. */
  size: (which: Size, fallback?: number) => number;
  /** A size, or `null` where the configuration has none. */
  sizeOrNull: (which: Size) => number | null;
  /** A count that may be 0. */
  count: (which: Size, fallback: number) => number;
  /** A size by the name it has in one architecture. */
  own: (name: string, fallback?: number) => number;
  /** Yes or no. */
  flag(name: string, fallback: boolean): boolean;
  /** A share, as the part of a head that turns. */
  share(names: readonly string[], fallback: number): number;
  /** A list of words, as the kind of each layer. */
  list(name: string): readonly unknown[] | null;
};
export type Fields = ReturnType<typeof configFields>;
export {};

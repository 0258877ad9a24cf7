/**
 * The fields of TransformerLens' `HookedTransformerConfig` that affect the computation. Missing fields have the defaults of
 * TransformerLens.
 */
export type HookedTransformerConfig = {
  readonly n_layers: number;
  readonly d_model: number;
  readonly d_head: number;
  /** Default: d_model / d_head. */
  readonly n_heads?: number;
  /** Number of key-value heads of grouped-query attention. Default: `n_heads`. */
  readonly n_key_value_heads?: number | null;
  readonly n_ctx: number;
  readonly d_vocab: number;
  /** Number of outputs, of a classifier for example. Default: `d_vocab`. */
  readonly d_vocab_out?: number;
  /** Default: 4 · d_model; null in an attention-only model. */
  readonly d_mlp?: number | null;
  readonly act_fn?: string | null;
  readonly gated_mlp?: boolean;
  readonly attn_only?: boolean;
  /** `LNPre`, `RMSPre`: gains were folded into the following weights. null: no norms. Default `LN`. */
  readonly normalization_type?: "LN" | "LNPre" | "RMS" | "RMSPre" | null;
  /** Default 1e-5. */
  readonly eps?: number;
  /** Default `causal`. */
  readonly attention_dir?: "causal" | "bidirectional";
  /** Default `standard`. */
  readonly positional_embedding_type?: "standard" | "rotary" | "alibi" | "shortformer";
  /** Default: d_head. */
  readonly rotary_dim?: number | null;
  /** Default 10000. */
  readonly rotary_base?: number;
  /** Default false. */
  readonly rotary_adjacent_pairs?: boolean;
  /** Default true. */
  readonly use_attn_scale?: boolean;
  /** Divisor of scores. Default: √d_head. */
  readonly attn_scale?: number;
  /** Default: none. -1 also means none. */
  readonly attn_scores_soft_cap?: number;
  /** Default: none. -1 also means none. */
  readonly output_logits_soft_cap?: number;
  /** Default false. */
  readonly use_local_attn?: boolean;
  /** `global` or `local` for each layer. */
  readonly attn_types?: readonly string[] | null;
  /** Keys that a local layer sees. Unit: tokens. */
  readonly window_size?: number | null;
  /** Default false. */
  readonly parallel_attn_mlp?: boolean;
  /** Default false. */
  readonly use_normalization_before_and_after?: boolean;
  /** A norm after the embedding. Default false. */
  readonly post_embedding_ln?: boolean;
};

/** Activation functions by their names in TransformerLens; for writing, the first name of a function is used. */
export const hookedActivations = {
  relu: "relu",
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_fast: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  silu: "silu",
} as const;

/** Two matrices `[M, K]` and `[K, N]`, row-major. */
export type ProductInputs = {
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
};

/** Attention of `H` heads: query `[H, T, D]`, key and value `[H, S, D]`, row-major; scores are scaled by 1 / √D. */
export type AttentionInputs = {
  readonly H: number;
  readonly T: number;
  readonly S: number;
  readonly D: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /**
   * `"causal"`: queries are the last T of S positions, and each sees its own key and earlier ones. An array `[T, S]`: 1 where
   * a query sees a key, else 0. The output of a query that sees no key is zero. Default: every query sees every key.
   */
  readonly mask?: "causal" | Uint8Array;
};

/** A program under test, which computes matrix products and attention: a qkv device or another library. */
export type Subject = {
  readonly name: string;
  /** Returns the product, `[M, N]` row-major. */
  matmul(inputs: ProductInputs): Promise<ArrayLike<number>>;
  /** Returns the output, `[H, T, D]` row-major. */
  attention(inputs: AttentionInputs): Promise<ArrayLike<number>>;
};

/** A computation that some device or library is known to have gotten wrong. */
export type CheckCase = {
  readonly name: string;
  /** The mistake that the case finds, in a few words. */
  readonly finds: string;
  /** Largest passing error: the absolute difference from float64, divided by the largest absolute value of the reference. */
  readonly tolerance: number;
} & (
  | { readonly kind: "matmul"; inputs(): ProductInputs }
  | { readonly kind: "attention"; inputs(): AttentionInputs }
);

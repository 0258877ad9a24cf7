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
   * `"causal"`: queries are the last T of S positions and see what is not after them. A list `[T, S]`: 1 where a query sees
   * a key. A query that sees no key gives zeros. Default: all is seen.
   */
  readonly mask?: "causal" | Uint8Array;
};

/** A program that computes attention and matrix products: a device of ours, or another library. */
export type Subject = {
  readonly name: string;
  /** `[M, N]` */
  matmul(inputs: ProductInputs): Promise<ArrayLike<number>>;
  /** `[H, T, D]` */
  attention(inputs: AttentionInputs): Promise<ArrayLike<number>>;
};

/** One computation that is known to have gone wrong somewhere. */
export type CheckCase = {
  readonly name: string;
  /** The mistake that it finds, in a few words. */
  readonly finds: string;
  /** Largest distance from the numbers in float64 that passes, as a share of the largest number. */
  readonly tolerance: number;
} & (
  | { readonly kind: "matmul"; inputs(): ProductInputs }
  | { readonly kind: "attention"; inputs(): AttentionInputs }
);

import type { Tensor } from "@qkv/tensor";

/**
 * Steps of a recurrence that is linear in its state, in one canonical form. Step t takes the state `[K, V]` of a head
 * from S to
 *
 *     exp(decay_t) ⊙ S + key_t (value_t − Sᵀ erase_t)ᵀ
 *
 * and gives `Sᵀ query_t`. All are `[B, H, T, …]`.
 */
export type Steps = {
  /** `[B, H, T, K]` */
  readonly query: Tensor;
  /** `[B, H, T, K]` */
  readonly key: Tensor;
  /** `[B, H, T, V]` */
  readonly value: Tensor;
  /** Natural logarithm, at most 0: `[B, H, T, 1]`, or `[B, H, T, K]` for each key channel. Default: no decay. */
  readonly decay?: Tensor | undefined;
  /** Reads the state as it was before the decay: `[B, H, T, K]`. Default: nothing is erased. */
  readonly erase?: Tensor | undefined;
  /** State that the query reads: the one before the step, or after it. Default `"after"`. */
  readonly reads?: "before" | "after";
};

/** Reads of the queries, `[B, H, T, V]`, and the state after the last step, `[B, H, K, V]`. */
export type Scanned = { readonly output: Tensor; readonly state: Tensor };

/** Runs steps from a state `[B, H, K, V]`, in one of the forms that are equal: token by token, or in chunks. */
export type Scan = (steps: Steps, state: Tensor) => Scanned;

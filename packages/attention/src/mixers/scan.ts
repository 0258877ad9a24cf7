import { exp, mul, type Tensor } from "@qkv/tensor";

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

/**
 * Steps with separate factors `beta` and `scale`, which kernels can apply themselves:
 *
 *     exp(decay_t) ⊙ S + key_t (beta_t (value_t − Sᵀ erase_t))ᵀ
 */
export type FactoredSteps = Steps & {
  /** Fraction of the update that a token makes: `[B, H, T, 1]`. Default: 1. */
  readonly beta?: Tensor | undefined;
  /** State that `erase` reads: as it was before the decay, or after it. Default `"before"`. */
  readonly erases?: "before" | "after";
  /** Factor of the outputs. Default 1. */
  readonly scale?: number;
};

/** Runs steps from a state `[B, H, K, V]`, in one of the forms that are equal: token by token, or in chunks. */
export type Scan = {
  (steps: Steps, state: Tensor): Scanned;
  /** The same for steps with separate factors. Default: the factors are multiplied into the tensors first. */
  readonly factored?: FactoredScan;
};

/**
 * Runs steps that may have separate factors. `overwrite`: true if the final state may be written to the memory of the initial one, which
 * is then not read again. Default false.
 */
export type FactoredScan = (
  steps: FactoredSteps,
  state: Tensor,
  options?: { overwrite?: boolean },
) => Scanned;

/** Converts a scan to one that accepts steps with separate factors. */
export const takesFactors = (scan: Scan): FactoredScan =>
  scan.factored ?? ((steps, state) => scan(multipliedOut(steps), state));

/** Multiplies the separate factors into the tensors of the steps. */
export function multipliedOut({
  beta,
  erases,
  scale = 1,
  query,
  value,
  erase,
  ...steps
}: FactoredSteps): Steps {
  const { decay } = steps;
  const read = erase && decay && erases === "after" ? mul(erase, exp(decay)) : erase;
  const times = (x: Tensor) => (beta ? mul(x, beta) : x);
  return {
    ...steps,
    query: scale === 1 ? query : mul(query, scale),
    value: times(value),
    erase: read && times(read),
  };
}

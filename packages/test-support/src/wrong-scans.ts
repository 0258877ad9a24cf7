import type { Scan, Steps } from "@qkv/attention";
import { abs, add, contiguous, exp, mul, neg, pad, slice, sub, sum, type Tensor } from "@qkv/tensor";

/** A mistake in a scan: a negative control for the tests of mixers, which must fail with it. */
export type WrongScan = {
  /** Completes the sentence "a scan that …". */
  readonly name: string;
  /** True if only the outputs are wrong, and the final state is right. */
  readonly readsOnly?: true;
  /** Returns wrong steps, or a wrong initial state; undefined if the mistake changes nothing for these steps. */
  change(steps: Steps, state: Tensor): { steps?: Steps; state?: Tensor } | undefined;
};

/**
 * Mistakes in a step of a recurrence that is linear in its state, for every mixer with such steps:
 * `S ← exp(decay) ⊙ S + key (value − Sᵀ erase)ᵀ`, with `Sᵀ query` as the output.
 */
export const wrongScans: readonly WrongScan[] = [
  {
    name: "reads before the write instead of after it, or the reverse",
    readsOnly: true,
    change: (steps) => ({ steps: { ...steps, reads: steps.reads === "before" ? "after" : "before" } }),
  },
  {
    name: "writes the value of the previous step",
    change: (steps) => ({ steps: { ...steps, value: shifted(steps.value) } }),
  },
  {
    name: "swaps query and key",
    change: (steps) =>
      steps.erase || equal(steps.query, steps.key)
        ? undefined
        : { steps: { ...steps, query: steps.key, key: steps.query } },
  },
  {
    name: "starts from zeros",
    change: (_, state) => (hasNonZero(state) ? { state: mul(state, 0) } : undefined),
  },
  {
    name: "never decays",
    change: ({ decay, ...steps }) => (hasNonZero(decay) ? { steps } : undefined),
  },
  {
    name: "decays what it has just written",
    change: (steps) => {
      const { decay, key, value, erase } = steps;
      if (!hasNonZero(decay)) return undefined;
      const decayedLate = { ...steps, key: mul(key, exp(decay)) };
      // A step that decays may write nothing if its token has several steps.
      const magnitude = (x: Tensor) => sum(abs(x), { axis: -1, keepDims: true });
      const written = erase ? add(magnitude(value), magnitude(erase)) : magnitude(value);
      return hasNonZero(mul(sub(decayedLate.key, key), written)) ? { steps: decayedLate } : undefined;
    },
  },
  {
    name: "erases nothing",
    change: ({ erase, ...steps }) => (hasNonZero(erase) ? { steps } : undefined),
  },
  {
    name: "adds instead of erasing",
    change: (steps) =>
      hasNonZero(steps.erase) ? { steps: { ...steps, erase: neg(steps.erase) } } : undefined,
  },
  {
    name: "erases from a state that decayed twice",
    change: (steps) =>
      hasNonZero(steps.erase) && hasNonZero(steps.decay)
        ? { steps: { ...steps, erase: mul(steps.erase, exp(steps.decay)) } }
        : undefined,
  },
];

/**
 * A scan with a mistake.
 *
 * @param onChange - Called when the mistake changed something.
 */
export const withMistake =
  ({ change }: WrongScan, scan: Scan, onChange: () => void): Scan =>
  (steps, state) => {
    const changed = change(steps, state);
    if (changed) onChange();
    return scan(changed?.steps ?? steps, changed?.state ?? state);
  };

/** The tensor shifted by one step along axis 2: each step has the numbers of the previous one, and the first has zeros. */
const shifted = (x: Tensor): Tensor => slice(pad(x, 2, 1, 0), 2, 0, x.shape[2]!);

const hasNonZero = (x: Tensor | undefined): x is Tensor =>
  x !== undefined && contiguous(x).data.some((number) => number !== 0);

const equal = (x: Tensor, y: Tensor): boolean => {
  const others = contiguous(y).data;
  return contiguous(x).data.every((number, i) => number === others[i]);
};

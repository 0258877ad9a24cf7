import type { Scan, Steps } from "@qkv/attention";
import { abs, add, contiguous, exp, mul, neg, pad, slice, sub, sum, type Tensor } from "@qkv/tensor";

/** A scan that is wrong in one way: a negative control of the tests that a mixer must pass. */
export type WrongScan = {
  /** Follows "a scan that". */
  readonly name: string;
  /** Outputs alone are wrong: the state that is left is right. */
  readonly readsOnly?: true;
  /** Steps, or a first state, that are wrong; undefined where these steps have nothing to get wrong. */
  change(steps: Steps, state: Tensor): { steps?: Steps; state?: Tensor } | undefined;
};

/** Ways of getting the canonical step wrong, for every mixer that has such a step. */
export const wrongScans: readonly WrongScan[] = [
  {
    name: "reads at the other side of the write",
    readsOnly: true,
    change: (steps) => ({ steps: { ...steps, reads: steps.reads === "before" ? "after" : "before" } }),
  },
  {
    name: "writes the value of the step before",
    change: (steps) => ({ steps: { ...steps, value: late(steps.value) } }),
  },
  {
    name: "exchanges query and key",
    change: (steps) =>
      steps.erase || equal(steps.query, steps.key)
        ? undefined
        : { steps: { ...steps, query: steps.key, key: steps.query } },
  },
  {
    name: "starts from zeros",
    change: (_, state) => (holdsNumbers(state) ? { state: mul(state, 0) } : undefined),
  },
  {
    name: "never decays",
    change: ({ decay, ...steps }) => (holdsNumbers(decay) ? { steps } : undefined),
  },
  {
    name: "decays what it has just written",
    change: (steps) => {
      const { decay, key, value, erase } = steps;
      if (!holdsNumbers(decay)) return undefined;
      const late = { ...steps, key: mul(key, exp(decay)) };
      // A step that decays may write nothing, where a token has several.
      const size = (x: Tensor) => sum(abs(x), { axis: -1, keepDims: true });
      const written = erase ? add(size(value), size(erase)) : size(value);
      return holdsNumbers(mul(sub(late.key, key), written)) ? { steps: late } : undefined;
    },
  },
  {
    name: "erases nothing",
    change: ({ erase, ...steps }) => (holdsNumbers(erase) ? { steps } : undefined),
  },
  {
    name: "adds what it should erase",
    change: (steps) =>
      holdsNumbers(steps.erase) ? { steps: { ...steps, erase: neg(steps.erase) } } : undefined,
  },
  {
    name: "erases from a state that decayed twice",
    change: (steps) =>
      holdsNumbers(steps.erase) && holdsNumbers(steps.decay)
        ? { steps: { ...steps, erase: mul(steps.erase, exp(steps.decay)) } }
        : undefined,
  },
];

/**
 * A form with the mistake.
 *
 * @param onChange - Called when a mixer's steps had something to get wrong.
 */
export const wrongly =
  ({ change }: WrongScan, form: Scan, onChange: () => void): Scan =>
  (steps, state) => {
    const changed = change(steps, state);
    if (changed) onChange();
    return form(changed?.steps ?? steps, changed?.state ?? state);
  };

/** Each step has what the one before it had, and the first has zeros. */
const late = (x: Tensor): Tensor => slice(pad(x, 2, 1, 0), 2, 0, x.shape[2]!);

const holdsNumbers = (x: Tensor | undefined): x is Tensor =>
  x !== undefined && contiguous(x).data.some((number) => number !== 0);

const equal = (x: Tensor, y: Tensor): boolean => {
  const others = contiguous(y).data;
  return contiguous(x).data.every((number, i) => number === others[i]);
};

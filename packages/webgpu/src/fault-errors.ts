import { DeviceError } from "@qkv/core";

/** Kinds of invalid numbers that kernels find while they run: an index, a pivot, a class. */
export type FaultKind = "index" | "pivot" | "class";

/** Fields of the errors, by kind. */
const faultTexts: Record<
  FaultKind,
  { readonly argument: string; readonly received: string; readonly expected: string; readonly fix: string }
> = {
  index: {
    argument: "indices",
    received: "an index outside of the tensor",
    expected: "indices in range",
    fix: "look up only what is there; for token ids, check that the tokenizer belongs to the model.",
  },
  pivot: {
    argument: "a",
    received: "a pivot that is not above 0",
    expected: "a matrix whose eigenvalues are above 0",
    fix: "make `regularization` larger, and `beta` 0 or more.",
  },
  class: {
    argument: "logits",
    received: "a row without a number above -∞",
    expected: "a class that can be chosen in each row",
    fix: "leave at least one class unmasked, and look for NaN in the model's output.",
  },
};

/** The error of an operation whose kernel found invalid numbers. */
export const faultError = (fn: string, kind: FaultKind): DeviceError =>
  new DeviceError({ fn, ...faultTexts[kind] });

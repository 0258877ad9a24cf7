import { ArgumentError } from "@qkv/core";

/** Refuses a number that is not whole, or below what makes sense. */
export function checkWhole(
  fn: string,
  argument: string,
  received: number,
  least: number,
  unit: string,
): void {
  if (Number.isSafeInteger(received) && received >= least) return;
  throw new ArgumentError({
    fn,
    argument,
    received,
    expected: `a whole number of ${unit}, ${least} or more`,
    fix: `count ${unit}.`,
  });
}

/** Refuses a number that is not above 0. */
export function checkPositive(fn: string, argument: string, received: number, unit: string): void {
  if (Number.isFinite(received) && received > 0) return;
  throw new ArgumentError({
    fn,
    argument,
    received,
    expected: `a number of ${unit} above 0`,
    fix: `give it in ${unit}.`,
  });
}

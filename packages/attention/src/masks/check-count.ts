import { refuse } from "@qkv/core";

/** Refuses what is no whole number of at least `least`. `Infinity` passes where `endless` says so. */
export function checkCount(
  fn: string,
  argument: string,
  value: number,
  { least, unit, fix, endless = false }: { least: number; unit: string; fix: string; endless?: boolean },
): number {
  if (value >= least && (Number.isInteger(value) || (endless && value === Infinity))) return value;
  const expected = `a whole number of ${unit}, ${least} or more${endless ? ", or Infinity" : ""}`;
  refuse(fn, argument, value, expected, fix);
}

import { ArgumentError } from "@qkv/core";

/** Refuses what is no share to be kept from one step to the next: a number from 0 to below 1. */
export function checkShare(fn: string, argument: string, share: number): void {
  if (share >= 0 && share < 1) return;
  throw new ArgumentError({
    fn,
    argument,
    received: share,
    expected: "a number from 0 to below 1",
    fix: "0.9 remembers about the last ten steps.",
  });
}

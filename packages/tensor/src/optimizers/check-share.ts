import { checks } from "@qkv/core";

/** Refuses what is no share to be kept from one step to the next: a number from 0 to below 1. */
export function checkShare(fn: string, argument: string, share: number): void {
  const fix = "0.9 remembers about the last ten steps.";
  checks(fn).finite({ [argument]: share }, { min: 0, below: 1, fix });
}

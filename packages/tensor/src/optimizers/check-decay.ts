import { checks } from "@qkv/core";

/** Refuses a decay rate that is not a number from 0 to below 1. */
export function checkDecay(fn: string, argument: string, rate: number): void {
  const fix = "0.9 remembers about the last ten steps.";
  checks(fn).finite({ [argument]: rate }, { min: 0, below: 1, fix });
}

import { refuse } from "@qkv/core";
import { keep } from "@qkv/tensor/expressions";
import type { ScoreMod } from "./score-mod.js";

const fix = "leave `dropout` out when the model is used, and give another seed each step when it is trained.";

/** Inverted dropout as a change of weights. What is dropped depends on seed and place alone. */
export function dropWeights(fn: string, { rate, seed }: { rate: number; seed: number }): ScoreMod["apply"] {
  if (!Number.isSafeInteger(seed)) refuse(fn, "dropout.seed", seed, "a whole number", fix);
  if (!(rate >= 0 && rate < 1)) refuse(fn, "dropout.rate", rate, "a number from 0 to below 1", fix);
  return (weight, at) => weight.mul(keep(at, rate, seed));
}

import { refuse } from "@qkv/core";
import { keep } from "@qkv/tensor/expressions";
import { scoreMod, type ScoreMod } from "./score-mod.js";

/** Inverted dropout as a change of weights. What is dropped depends on seed and place alone. */
export function dropWeights(fn: string, { rate, seed }: { rate: number; seed: number }): ScoreMod {
  if (!(rate >= 0 && rate < 1) || !Number.isSafeInteger(seed)) {
    const [argument, received] = Number.isSafeInteger(seed) ? ["rate", rate] : ["seed", seed];
    refuse(
      fn,
      `dropout.${argument}`,
      received,
      argument === "rate" ? "a number from 0 to below 1" : "a whole number",
      "leave `dropout` out when the model is used, and give another seed each step when it is trained.",
    );
  }
  return scoreMod((weight, at) => weight.mul(keep(at, rate, seed)), `dropout(${rate})`);
}

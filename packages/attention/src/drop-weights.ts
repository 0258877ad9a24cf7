import { checks } from "@qkv/core";
import { dropoutMask, type ScoreMod } from "@qkv/attention-contract";

const fix = "leave `dropout` out when the model is used, and give another seed each step when it is trained.";

/** Inverted dropout as a change of weights. What is dropped depends on seed and place alone. */
export function dropWeights(fn: string, dropout: { rate: number; seed: number }): ScoreMod["apply"] {
  const check = checks(fn);
  const { rate, seed } = check.options(dropout, ["rate", "seed"], "dropout");
  check.whole({ "dropout.seed": seed }, { fix });
  // A weight is drawn by 32 random bits: they do not tell a rate above the last from 1.
  const drawn = () => rate >= 0 && rate <= 1 - 2 ** -32;
  check.each({ "dropout.rate": rate }, drawn, "a number from 0 to 1 − 2⁻³²", fix);
  return (weight, at) => weight.mul(dropoutMask(at, rate, seed));
}

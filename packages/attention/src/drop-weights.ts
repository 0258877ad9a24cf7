import { checks } from "@qkv/core";
import { dropoutMask, type ScoreMod } from "@qkv/attention-contract";

const fix = "leave `dropout` out when the model is used, and give another seed each step when it is trained.";

/** Inverted dropout as a weight mod. The dropped weights depend only on the seed and on batch, head, query and key. */
export function dropWeights(fn: string, dropout: { rate: number; seed: number }): ScoreMod["apply"] {
  const check = checks(fn);
  const { rate, seed } = check.options(dropout, ["rate", "seed"], "dropout");
  check.whole({ "dropout.seed": seed }, { fix });
  // Weights are drawn with 32 random bits, so rates above 1 − 2⁻³² cannot be distinguished from 1.
  const drawn = () => rate >= 0 && rate <= 1 - 2 ** -32;
  check.each({ "dropout.rate": rate }, drawn, "a number from 0 to 1 − 2⁻³²", fix);
  return (weight, at) => weight.mul(dropoutMask(at, rate, seed));
}

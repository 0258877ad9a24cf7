import { checks } from "@qkv/core";
import { checkTexts, requireOptions } from "../check-arguments.js";
import { randomNumbers } from "../random-numbers.js";

/**
 * Samples texts at random, in order. The vocabulary of a tenth of a large corpus is close to that of the whole corpus.
 *
 * The choice depends on a text's index and the seed alone: the same texts and seed give the same sample.
 *
 * @param options - `rate`: probability of each text, above 0 and at most 1. `seed`: an integer.
 * @throws {ArgumentError} If `rate` or `seed` is not such a number.
 *
 * @example
 * ```ts
 * import { sampleTexts } from "@qkv/tokenizer/training";
 *
 * const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
 * let taken = 0;
 * for await (const line of sampleTexts(lines, { rate: 0.1, seed: 1 })) taken += line ? 1 : 0;
 * taken > 70 && taken < 130; // => true
 * ```
 */
export async function* sampleTexts(
  texts: Iterable<string> | AsyncIterable<string>,
  options: { rate: number; seed: number },
): AsyncGenerator<string, void, undefined> {
  const check = checks("sampleTexts");
  checkTexts(check, { texts });
  const { rate, seed } = check.options(requireOptions(check, options), ["rate", "seed"]);
  const isRate = (value: unknown) => (value as number) > 0 && (value as number) <= 1;
  check.each({ rate }, isRate, "a number above 0, at most 1", "use 0.1 for a tenth.");
  check.whole({ seed }, { fix: "any will do, such as 1." });
  const random = randomNumbers(seed);
  for await (const text of texts) if (random() < rate) yield text;
}

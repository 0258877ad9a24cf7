import { checks } from "@qkv/core";
import { uniform } from "@qkv/tensor";
import type { TextPairs } from "./text-pairs.js";

const small =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = ", , twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety".split(", ");

/**
 * Pairs of numbers in digits and in English words, below a thousand: "142" and "one hundred forty-two".
 *
 * @param seed - Integer; another seed draws other numbers.
 * @returns A function from an index to a pair. The same index gives the same pair.
 *
 * @example
 * ```ts
 * import { numberWords, spellNumber } from "@qkv/transformer/tasks";
 *
 * const { source, target } = numberWords({ seed: 1 })(0);
 * spellNumber(Number(source)) === target; // => true
 * spellNumber(142); // => "one hundred forty-two"
 * ```
 */
export function numberWords(options: { seed: number }): TextPairs {
  const check = checks("numberWords");
  const { seed } = check.options(options, ["seed"]);
  check.whole({ seed });
  return (index) => {
    const { data } = uniform([1], { seed, first: index, dtype: "float64" });
    const number = Math.floor(data[0]! * 1000);
    return { source: String(number), target: spellNumber(number) };
  };
}

/** Spells an integer from 0 to 999 in English. */
export function spellNumber(number: number): string {
  checks("spellNumber").whole({ number }, { min: 0, below: 1000 });
  if (number < 20) return small[number]!;
  const [rest, hundreds] = [number % 100, Math.floor(number / 100)];
  if (hundreds > 0) return `${small[hundreds]} hundred${rest > 0 ? ` ${spellNumber(rest)}` : ""}`;
  return tens[Math.floor(number / 10)]! + (number % 10 > 0 ? `-${small[number % 10]}` : "");
}

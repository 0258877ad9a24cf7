import { refuse } from "@qkv/core";
import { philox4x32 } from "./philox.js";

/** The key of a seed: its low 32 bits and the bits above. */
export function seedKey(fn: string, seed: unknown): [number, number] {
  if (typeof seed !== "number" || !Number.isSafeInteger(seed)) {
    refuse(
      fn,
      "seed",
      seed,
      "a whole number",
      "give any whole number; the same one gives the same numbers everywhere.",
    );
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/**
 * Fills an array with numbers strictly between 0 and 1, of 53 bits each, two to a block of the generator.
 *
 * @param first - Which number of the seed's stream comes first.
 */
export function fillUniforms(
  out: { [index: number]: number; length: number },
  key: [number, number],
  first = 0,
): void {
  let block = -1;
  let words: [number, number, number, number] = [0, 0, 0, 0];
  for (let i = 0; i < out.length; i++) {
    const at = first + i;
    const wanted = Math.floor(at / 2);
    if (wanted !== block) {
      block = wanted;
      words = philox4x32([block >>> 0, Math.floor(block / 2 ** 32) >>> 0, 0, 0], key);
    }
    const [high, low] = at % 2 === 0 ? [words[0], words[1]] : [words[2], words[3]];
    // 52 bits and a half: never 0, never 1, and exact in float64.
    out[i] = ((high >>> 0) * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52;
  }
}

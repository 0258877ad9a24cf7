import { allocateArray, checkDevice, checkOptions, checks, type OptionName, refuse } from "@qkv/core";
import type { Device } from "../contracts.js";
import { philox4x32 } from "./philox.js";

/** The Philox key of a seed: its low 32 bits and the bits above. */
export function seedKey(fn: string, seed: unknown): [number, number] {
  if (typeof seed !== "number" || !Number.isSafeInteger(seed)) {
    refuse(
      fn,
      "seed",
      seed,
      "an integer",
      "give any integer; the same one gives the same numbers everywhere.",
    );
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/**
 * Fills an array with uniform numbers strictly between 0 and 1, of 53 bits each, two per block of the generator.
 *
 * @param first - Index in the stream of the first number.
 * @param draw - Stream of the seed: the upper half of the generator's counter.
 */
export function fillUniforms(
  out: { [index: number]: number; length: number },
  key: [number, number],
  first = 0,
  draw = 0,
): void {
  let block = -1;
  let words: [number, number, number, number] = [0, 0, 0, 0];
  for (let i = 0; i < out.length; i++) {
    const at = first + i;
    const wanted = Math.floor(at / 2);
    if (wanted !== block) {
      block = wanted;
      words = philox4x32(
        [block >>> 0, Math.floor(block / 2 ** 32) >>> 0, draw >>> 0, Math.floor(draw / 2 ** 32)],
        key,
      );
    }
    const [high, low] = at % 2 === 0 ? [words[0], words[1]] : [words[2], words[3]];
    // 52 bits plus ½: never 0, never 1, and exact in float64.
    out[i] = ((high >>> 0) * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52;
  }
}

/** A stream of random numbers. */
type Stream = { seed: number; draw?: number; first?: number };

/** Checks the options of a random function, which include those of the stream. */
export function randomOptions<T extends Stream & { device?: Device }>(
  fn: string,
  options: T,
  ...names: OptionName<T>[]
): T {
  const allNames = ["seed", "draw", "first", "device", ...names] as OptionName<T>[];
  const checked = checkOptions(fn, options, allNames);
  if (checked.device !== undefined) checkDevice(fn, checked.device);
  return checked;
}

/** Uniform numbers of a stream, strictly between 0 and 1. */
export function uniformStream(
  fn: string,
  { seed, draw = 0, first = 0 }: Stream,
  length: number,
): Float64Array {
  checks(fn).whole({ draw, first }, { min: 0 });
  const uniforms = allocateArray("float64", length, fn) as Float64Array;
  fillUniforms(uniforms, seedKey(fn, seed), first, draw);
  return uniforms;
}

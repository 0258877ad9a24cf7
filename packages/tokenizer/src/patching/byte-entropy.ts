import { ArgumentError, checks } from "@qkv/core";
import { checkTextOrBytes } from "../check-arguments.js";

/**
 * Entropy of a model's next-byte distribution, as a function of all bytes before it. Unit: nats, 0 (certain) to 5.545 (all 256 equally likely).
 *
 * Any function can be used: a table, counts, a network. `context` is the number of preceding bytes that it reads: a stream
 * keeps that many; without `context`, all bytes.
 */
export type ByteEntropy = ((before: Uint8Array) => number) & { readonly context?: number };

/**
 * The entropy of each byte of a text, given those before it.
 *
 * @param text - Bytes, or a string for its UTF-8.
 * @throws {ArgumentError} If `entropy` returns an invalid number.
 *
 * @example
 * ```ts
 * import { byteEntropies } from "@qkv/tokenizer/patching";
 *
 * // A model that knows one thing: after a q comes a u.
 * const entropy = (before: Uint8Array) => (before.at(-1) === 0x71 ? 0 : Math.log(256));
 * byteEntropies("quip", entropy); // => [5.545, 0, 5.545, 5.545]
 * ```
 */
export function byteEntropies(text: string | Uint8Array, entropy: ByteEntropy): Float64Array {
  const check = checks("byteEntropies");
  checkTextOrBytes(check, { text });
  check.type({ entropy }, "function");
  const bytes = toBytes(text);
  return Float64Array.from(bytes, (_, at) => checkEntropy("byteEntropies", entropy(bytes.subarray(0, at))));
}

/** @throws {ArgumentError} If it is not a number of 0 or more. */
export function checkEntropy(fn: string, value: number): number {
  if (value >= 0 && value < Infinity) return value;
  throw new ArgumentError({
    fn,
    argument: "entropy",
    received: value,
    expected: "a function that returns the entropy of the next byte, a number of 0 or more, in nats",
    fix: "return −Σ p·ln(p) over the 256 bytes, and count 0·ln(0) as 0.",
  });
}

export const toBytes = (text: string | Uint8Array): Uint8Array =>
  typeof text === "string" ? new TextEncoder().encode(text) : text;

import { ArgumentError, checks } from "@qkv/core";
import { checkTextOrBytes } from "../check-arguments.js";
import { countByteNgrams, highestOrder, writeByteNgrams } from "../patching/byte-ngrams.js";

/** Options of {@link trainByteNgrams}. */
export type TrainByteNgramsOptions = {
  /** Context of the model in bytes, up to 15. Default: 5. */
  order?: number;
  /** Maximum size of the file. The rarest n-grams are omitted until it fits. Default: 200,000 bytes. */
  maxBytes?: number;
};

/**
 * Counts the byte n-grams of a text, for `byteNgramModel`.
 *
 * @param text - Bytes, or a string for its UTF-8. About a megabyte is plenty for the size that is kept.
 * @returns A file. Its size is at most `maxBytes`; the same text gives the same file.
 * @throws {ArgumentError} If `order` or `maxBytes` is out of range.
 *
 * @example
 * ```ts
 * import { trainByteNgrams } from "@qkv/tokenizer/training";
 *
 * trainByteNgrams("banana banana", { order: 2 }).length < 100; // => true
 * ```
 */
export function trainByteNgrams(text: string | Uint8Array, options: TrainByteNgramsOptions = {}): Uint8Array {
  const check = checks("trainByteNgrams");
  const { order = 5, maxBytes = 200_000 } = check.options(options, ["order", "maxBytes"]);
  checkTextOrBytes(check, { text });
  if (!Number.isSafeInteger(order) || order < 0 || order > highestOrder) {
    throw new ArgumentError({
      fn: "trainByteNgrams",
      argument: "order",
      received: order,
      expected: `an integer number of bytes from 0 to ${highestOrder}`,
      fix: "use 5, about a word; longer contexts are rarely seen twice.",
    });
  }
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return writeByteNgrams(countByteNgrams(bytes, order), maxBytes);
}

import { data } from "./english-bytes-data.js";
import { byteNgramModel, type ByteNgramModel } from "./patching/byte-ngram-model.js";

/**
 * A small model of the bytes of English, to try patching with: an n-gram model of order 5, counted from 660 kB
 * of sentences that `everyday-english.mjs`, beside this package's source, writes from word lists of its own.
 *
 * It models the spelling of common English words and what often follows them. On other languages and on code
 * its entropy is high at every byte. Size: 250 kB, in a module of its own, decoded at each call: keep what it returns.
 *
 * Made by
 *
 * ```sh
 * node everyday-english.mjs 1 | qkv train-tokenizer --bytes --order 5 --out src/english-bytes-data.ts
 * ```
 *
 * @example
 * ```ts
 * import { englishBytes } from "@qkv/tokenizer/english-bytes";
 *
 * const entropy = englishBytes();
 * const after = (text: string) => entropy(new TextEncoder().encode(text));
 * after("the kitche") < 0.5; // => true
 * after("the kitchen ") > 2; // => true
 * ```
 */
export function englishBytes(): ByteNgramModel {
  return (model ??= byteNgramModel(Uint8Array.from(atob(data), (character) => character.charCodeAt(0))));
}

let model: ByteNgramModel | undefined;

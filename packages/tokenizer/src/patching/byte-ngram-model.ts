import { checks } from "@qkv/core";
import { checkBytes } from "../check-arguments.js";
import { readByteNgrams, type ByteNgrams } from "./byte-ngrams.js";
import type { ByteEntropy } from "./byte-entropy.js";

/** An n-gram model of bytes: an entropy function for patchers, and its distribution. */
export type ByteNgramModel = ByteEntropy & {
  /** Context length in bytes. */
  readonly context: number;
  /** Probabilities of the next byte after a context. `[256]`, all above 0, summing to 1. */
  predict(before: Uint8Array): Float64Array;
};

/**
 * Interpolated n-gram model of bytes: the distribution after the last `order` bytes is interpolated with that after the
 * last `order - 1`, and so on down to the empty context. The more distinct bytes followed a context, and the rarer it is,
 * the more weight the shorter context gets: Witten-Bell smoothing, with an escape weight of 8 instead of 1 for each
 * distinct byte, because it is used on other texts than the counted one.
 *
 * @param file - A file of `trainByteNgrams` or `qkv train-tokenizer --bytes`.
 * @throws {FormatError} If the file is damaged or of another format; the field is named.
 * @see "The zero-frequency problem" (Witten and Bell, 1991), method C
 *
 * @example
 * ```ts
 * import { byteNgramModel } from "@qkv/tokenizer/patching";
 * import { trainByteNgrams } from "@qkv/tokenizer/training";
 *
 * const model = byteNgramModel(trainByteNgrams("the cat, the hat, the mat. ".repeat(9), { order: 3 }));
 * const after = (text: string) => model.predict(new TextEncoder().encode(text));
 * after("th")["e".charCodeAt(0)] > 0.5; // => true
 * model(new TextEncoder().encode("th")) < model(new TextEncoder().encode("the ")); // => true
 * ```
 */
export function byteNgramModel(file: Uint8Array): ByteNgramModel {
  checkBytes(checks("byteNgramModel"), { file });
  const trie = readByteNgrams(file);
  const { order, counts } = trie;
  const cachedEntropies = new Float64Array(counts.length).fill(NaN);

  /** The trie nodes of the last 0, 1, 2, … bytes, as far as they exist. */
  const contexts = (before: Uint8Array): number[] => {
    const nodes = [0];
    for (let length = 1; length <= Math.min(order, before.length); length++) {
      const node = find(trie, before, length);
      if (node === undefined) break;
      nodes.push(node);
    }
    return nodes;
  };
  const entropy = (before: Uint8Array): number => {
    const nodes = contexts(before);
    const last = nodes.at(-1)!;
    // The distribution of each context is computed on first use and cached.
    if (Number.isNaN(cachedEntropies[last])) cachedEntropies[last] = entropyNats(interpolate(trie, nodes));
    return cachedEntropies[last]!;
  };
  return Object.assign(entropy, {
    context: order,
    predict: (before: Uint8Array) => interpolate(trie, contexts(before)),
  });
}

/** The node of the last `length` bytes. */
function find(
  { bytes, first, children }: ByteNgrams,
  before: Uint8Array,
  length: number,
): number | undefined {
  let node = 0;
  for (let at = before.length - length; at < before.length; at++) {
    let [low, high] = [first[node]!, first[node]! + children[node]!];
    const end = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bytes[middle]! < before[at]!) low = middle + 1;
      else high = middle;
    }
    if (low === end || bytes[low] !== before[at]) return undefined;
    node = low;
  }
  return node;
}

/** Interpolates: each context leaves the mass missing from its counts, and `escapeWeight` for each distinct byte, to the shorter one. */
function interpolate({ bytes, counts, first, children }: ByteNgrams, nodes: readonly number[]): Float64Array {
  const p = new Float64Array(256).fill(1 / 256);
  for (const node of nodes) {
    const [from, distinct] = [first[node]!, children[node]!];
    const total = counts[node]! + escapeWeight * distinct;
    if (total === 0) continue; // an empty text
    let remaining = total; // mass for the shorter context
    for (let child = from; child < from + distinct; child++) remaining -= counts[child]!;
    // Counts of a damaged file may add up to more than their node's.
    const scale = 1 / (total - Math.min(remaining, 0));
    for (let byte = 0; byte < 256; byte++) p[byte]! *= Math.max(remaining, 0) * scale;
    for (let child = from; child < from + distinct; child++) p[bytes[child]!]! += counts[child]! * scale;
  }
  return p;
}

const escapeWeight = 8;

function entropyNats(p: Float64Array): number {
  let sum = 0;
  for (const x of p) if (x > 0) sum -= x * Math.log(x);
  return Math.max(0, sum);
}

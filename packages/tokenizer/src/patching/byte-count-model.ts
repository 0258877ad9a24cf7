import { checks } from "@qkv/core";
import { checkBytes } from "../check-arguments.js";
import { readByteCounts, type ByteCounts } from "./byte-counts.js";
import type { ByteEntropy } from "./byte-entropy.js";

/** A model of bytes that was made by counting. It is the entropy that patchers read, and can say more. */
export type ByteCountModel = ByteEntropy & {
  /** How many bytes back it looks. */
  readonly context: number;
  /** How likely each of the 256 bytes is behind these. `[256]`, all above 0, summing to 1. */
  predict(before: Uint8Array): Float64Array;
};

/**
 * A model of the next byte from counts: what followed the last `order` bytes in the text that was counted, mixed with
 * what followed the last `order - 1`, and so on down to no context at all. The more kinds of bytes followed a context,
 * and the fewer times it was seen, the more the shorter one counts: Witten and Bell's back-off, with 8 in place of 1
 * for each kind, because the text that is read is not the text that was counted.
 *
 * @param file - What `trainByteCounts` made, or `qkv train-tokenizer --bytes`.
 * @throws {FormatError} If the file is damaged or of another format; the field is named.
 * @see "The zero-frequency problem" (Witten and Bell, 1991), method C
 *
 * @example
 * ```ts
 * import { byteCountModel } from "@qkv/tokenizer/patching";
 * import { trainByteCounts } from "@qkv/tokenizer/training";
 *
 * const model = byteCountModel(trainByteCounts("the cat, the hat, the mat. ".repeat(9), { order: 3 }));
 * const behind = (text: string) => model.predict(new TextEncoder().encode(text));
 * behind("th")["e".charCodeAt(0)] > 0.5; // => true
 * model(new TextEncoder().encode("th")) < model(new TextEncoder().encode("the ")); // => true
 * ```
 */
export function byteCountModel(file: Uint8Array): ByteCountModel {
  checkBytes(checks("byteCountModel"), { file });
  const tree = readByteCounts(file);
  const { order, counts } = tree;
  const known = new Float64Array(counts.length).fill(NaN);

  /** The nodes of the last 0, 1, 2, … bytes, as far as they were counted. */
  const contexts = (before: Uint8Array): number[] => {
    const nodes = [0];
    for (let length = 1; length <= Math.min(order, before.length); length++) {
      const node = find(tree, before, length);
      if (node === undefined) break;
      nodes.push(node);
    }
    return nodes;
  };
  const entropy = (before: Uint8Array): number => {
    const nodes = contexts(before);
    const last = nodes.at(-1)!;
    // One context, one distribution: it is computed when it is first met.
    if (Number.isNaN(known[last])) known[last] = entropyOf(mix(tree, nodes));
    return known[last]!;
  };
  return Object.assign(entropy, {
    context: order,
    predict: (before: Uint8Array) => mix(tree, contexts(before)),
  });
}

/** The node of the last `length` bytes. */
function find(
  { bytes, first, children }: ByteCounts,
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

/** Each context leaves to the shorter one what is missing from its counts, and `novelty` for each kind that it has. */
function mix({ bytes, counts, first, children }: ByteCounts, nodes: readonly number[]): Float64Array {
  const p = new Float64Array(256).fill(1 / 256);
  for (const node of nodes) {
    const [from, kinds] = [first[node]!, children[node]!];
    const total = counts[node]! + novelty * kinds;
    if (total === 0) continue; // an empty text
    let rest = total;
    for (let child = from; child < from + kinds; child++) rest -= counts[child]!;
    // Counts of a damaged file may add up to more than their node's.
    const scale = 1 / (total - Math.min(rest, 0));
    for (let byte = 0; byte < 256; byte++) p[byte]! *= Math.max(rest, 0) * scale;
    for (let child = from; child < from + kinds; child++) p[bytes[child]!]! += counts[child]! * scale;
  }
  return p;
}

const novelty = 8;

function entropyOf(p: Float64Array): number {
  let sum = 0;
  for (const x of p) if (x > 0) sum -= x * Math.log(x);
  return Math.max(0, sum);
}

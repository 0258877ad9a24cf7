import { checks } from "@qkv/core";
import { bytesToUnicode } from "../bytes-to-unicode.js";
import { Heap } from "../heap.js";
import { byteString } from "./byte-string.js";
import { MergeableTokens } from "./mergeable-tokens.js";

/** A learned merge. Tokens are written byte-to-unicode, as GPT-2's are: a space is `Ġ`. */
export type LearnedMerge = {
  readonly left: string;
  readonly right: string;
  /** Occurrences of the pair in the words, weighted by their counts. */
  readonly count: number;
};

/**
 * Learns the merges of byte-pair encoding: repeatedly merges the most frequent pair of adjacent tokens in `words`. Of
 * equally frequent pairs, the one that is greater as bytes is merged first, so that the result depends only on the words.
 *
 * No two merges produce the same token: equal bytes between two boundaries that no merge has crossed are segmented
 * alike everywhere, so their last merge is always the same.
 *
 * The generator is lazy, and ends when no pair is left.
 *
 * Counting all pairs anew for each merge would take O(merges · bytes). Here the positions of each pair are stored, a merge
 * updates only those and their neighbours, and a heap returns the most frequent pair: O(bytes · log²(bytes)) at worst for
 * all merges together, bytes being those of the distinct words.
 *
 * @param words - Counts of words, as `countWords` gives them. Nothing merges across words.
 * @see "Neural Machine Translation of Rare Words with Subword Units" (2016), arXiv:1508.07909, section 3.2
 *
 * @example
 * ```ts
 * import { countWords, learnMerges } from "@qkv/tokenizer/training";
 *
 * const merges = [...learnMerges(countWords("hug hugs hug"))];
 * merges[0]; // => { left: "u", right: "g", count: 3 }
 * merges[1]; // => { left: "h", right: "ug", count: 3 }
 * merges[2]; // => { left: "Ġ", right: "hug", count: 2 }
 * ```
 */
export function* learnMerges(words: ReadonlyMap<string, number>): Generator<LearnedMerge, void, undefined> {
  checks("learnMerges").each(
    { words },
    (value) => value instanceof Map,
    "a Map of words and how often each occurs, as `countWords` gives",
  );
  const tokens = new MergeableTokens([...words].map(([word, count]) => [byteString(word), count]));
  const { pairs, texts } = tokens;
  const isBefore = (a: Candidate, b: Candidate) =>
    a.count > b.count || (a.count === b.count && isGreater(a.pair, b.pair));
  const isGreater = (a: number, b: number) => {
    const [left, other] = [texts[pairs.left(a)]!, texts[pairs.left(b)]!];
    return left > other || (left === other && texts[pairs.right(a)]! > texts[pairs.right(b)]!);
  };
  const candidates = new Heap<Candidate>(isBefore);
  const addCandidate = (pair: number) => {
    const count = pairs.count(pair);
    if (count > 0) candidates.push({ pair, count });
  };
  for (let pair = 0; pair < pairs.size; pair++) addCandidate(pair);

  for (let best = candidates.pop(); best !== undefined; best = candidates.pop()) {
    const { pair, count } = best;
    const currentCount = pairs.count(pair);
    // Other merges may have removed positions of this pair. Added positions were pushed as a separate candidate.
    if (currentCount < count) addCandidate(pair);
    if (currentCount !== count) continue;
    const [left, right] = [texts[pairs.left(pair)]!, texts[pairs.right(pair)]!];
    for (const gained of tokens.merge(pair)) addCandidate(gained);
    yield { left: toUnicode(left), right: toUnicode(right), count };
  }
}

const toUnicode = (bytes: string) => Array.from(bytes, (byte) => bytesToUnicode[byte.charCodeAt(0)]).join("");

type Candidate = { readonly pair: number; readonly count: number };

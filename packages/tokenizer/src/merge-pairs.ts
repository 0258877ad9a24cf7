import { Heap } from "./heap.js";

/** What two neighbouring tokens become together. The pair of the highest score merges first. */
export type Merge = { readonly id: number; readonly score: number };

/** The merge of `left` and `right`, or undefined where they stay apart. */
export type FindMerge = (left: number, right: number) => Merge | undefined;

/**
 * Byte-pair encoding: merges the neighbours whose merge has the highest score, the leftmost of equals, until no
 * two neighbours merge.
 *
 * A plain loop searches all neighbours again after each merge, O(n²). Here the tokens are a linked list and the
 * possible merges wait in a heap; a merge makes at most two new ones. That is O(n log n) whatever the text, and
 * fewer than 6 calls of `findMerge` for each token of `ids`.
 *
 * @param ids - The tokens at first, one for each character or byte.
 * @see "Neural Machine Translation of Rare Words with Subword Units" (2016), arXiv:1508.07909, section 3.2
 */
export function mergePairs(ids: readonly number[], findMerge: FindMerge): number[] {
  const end = ids.length;
  const tokens = Int32Array.from(ids);
  const next = Int32Array.from(ids, (_, at) => at + 1);
  const previous = Int32Array.from(ids, (_, at) => at - 1);
  const merges = new Heap<{ at: number; merge: Merge }>(
    (a, b) => a.merge.score > b.merge.score || (a.merge.score === b.merge.score && a.at < b.at),
  );
  const mergeAt = (at: number) =>
    tokens[at] === gone || next[at] === end ? undefined : findMerge(tokens[at]!, tokens[next[at]!]!);
  const offer = (at: number) => {
    const merge = mergeAt(at);
    if (merge !== undefined) merges.push({ at, merge });
  };

  for (let at = 0; at < end; at++) offer(at);
  for (let best = merges.pop(); best !== undefined; best = merges.pop()) {
    const { at, merge } = best;
    // A merge stays in the heap when one of its tokens has gone into another; it is told by what is there now.
    if (mergeAt(at)?.id !== merge.id) continue;
    const right = next[at]!;
    tokens[at] = merge.id;
    tokens[right] = gone;
    next[at] = next[right]!;
    if (next[at]! < end) previous[next[at]!] = at;
    offer(at);
    if (previous[at]! >= 0) offer(previous[at]!);
  }
  return Array.from(tokens.filter((id) => id !== gone));
}

const gone = -1;

/** Ranks of the pairs that merge: the lower the rank, the earlier. */
export type Merges = {
  /** The rank of the merge of `left` and `right`, an integer; -1 for no merge. */
  rank(left: number, right: number): number;
  /** The token that `left` and `right` merge to. */
  merge(left: number, right: number): number;
};

/**
 * Byte-pair encoding, in place: repeatedly merges the adjacent pair with the lowest rank (the leftmost in case of ties), until no
 * pair merges.
 *
 * A short text is scanned again after each merge, which costs n² small steps. For a long text, symbols are a linked list, and
 * possible merges are in a heap of numbers: O(n log n) whatever the text.
 *
 * @param symbols - Initial tokens in `[0, length)`; replaced by the merged tokens.
 * @param widths - Width of each symbol in the text, optional; the width of a merged symbol is the sum.
 * @returns The number of symbols left.
 * @see "Neural Machine Translation of Rare Words with Subword Units" (2016), arXiv:1508.07909, section 3.2
 */
export function mergeSymbols(
  symbols: Int32Array,
  length: number,
  merges: Merges,
  widths?: Int32Array,
): number {
  return length <= shortLength
    ? mergeShort(symbols, length, merges, widths)
    : mergeLong(symbols, length, merges, widths);
}

/** Plain version that yields each step: the specification of {@link mergeSymbols}, and the source of traces. */
export function* mergeSteps(symbols: readonly number[], merges: Merges): Generator<number[]> {
  let current = [...symbols];
  for (;;) {
    let [at, rank] = [-1, Infinity];
    for (let i = 0; i + 1 < current.length; i++) {
      const pairRank = merges.rank(current[i]!, current[i + 1]!);
      if (pairRank >= 0 && pairRank < rank) [at, rank] = [i, pairRank];
    }
    if (at < 0) return;
    current = [
      ...current.slice(0, at),
      merges.merge(current[at]!, current[at + 1]!),
      ...current.slice(at + 2),
    ];
    yield current;
  }
}

const shortLength = 64;
const noRank = 0x7fffffff;
const shortRanks = /* @__PURE__ */ new Int32Array(shortLength);

function mergeShort(symbols: Int32Array, length: number, merges: Merges, widths?: Int32Array): number {
  const ranks = shortRanks; // rank of the pair that begins at each position
  const rankAt = (at: number) => {
    const rank = merges.rank(symbols[at]!, symbols[at + 1]!);
    return rank < 0 ? noRank : rank;
  };
  let pairs = length - 1;
  for (let at = 0; at < pairs; at++) ranks[at] = rankAt(at);
  while (pairs > 0) {
    let [best, rank] = [0, noRank];
    for (let at = 0; at < pairs; at++) if (ranks[at]! < rank) [best, rank] = [at, ranks[at]!];
    if (rank === noRank) break;
    symbols[best] = merges.merge(symbols[best]!, symbols[best + 1]!);
    if (widths) widths[best]! += widths[best + 1]!;
    for (let at = best + 1; at < pairs; at++) {
      symbols[at] = symbols[at + 1]!;
      ranks[at] = ranks[at + 1]!;
      if (widths) widths[at] = widths[at + 1]!;
    }
    pairs -= 1;
    if (best < pairs) ranks[best] = rankAt(best);
    if (best > 0) ranks[best - 1] = rankAt(best - 1);
  }
  return pairs + 1;
}

function mergeLong(symbols: Int32Array, length: number, merges: Merges, widths?: Int32Array): number {
  const next = new Int32Array(length);
  const previous = new Int32Array(length);
  const ranks = new Int32Array(length).fill(-1); // current rank of the pair that begins at each position
  const candidates = new NumberHeap(length);
  for (let at = 0; at < length; at++) {
    next[at] = at + 1;
    previous[at] = at - 1;
  }
  const addCandidate = (at: number) => {
    const rank = next[at]! < length ? merges.rank(symbols[at]!, symbols[next[at]!]!) : -1;
    ranks[at] = rank;
    if (rank >= 0) candidates.push(rank * positionRange + at); // in order of rank, then of position
  };

  for (let at = 0; at < length; at++) addCandidate(at);
  while (candidates.size > 0) {
    const first = candidates.pop();
    const rank = Math.floor(first / positionRange);
    const at = first - rank * positionRange;
    if (ranks[at] !== rank) continue; // outdated: one of the two tokens has been merged since
    const right = next[at]!;
    symbols[at] = merges.merge(symbols[at]!, symbols[right]!);
    if (widths) widths[at]! += widths[right]!;
    ranks[right] = -1;
    symbols[right] = -1;
    next[at] = next[right]!;
    if (next[at]! < length) previous[next[at]!] = at;
    addCandidate(at);
    if (previous[at]! >= 0) addCandidate(previous[at]!);
  }
  let count = 0;
  for (let at = 0; at < length; at = next[at]!) {
    symbols[count] = symbols[at]!;
    if (widths) widths[count] = widths[at]!;
    count += 1;
  }
  return count;
}

/** A rank and a position in one number: ranks stay below 2^21, positions below 2^32. */
const positionRange = 2 ** 32;

/** A binary heap of numbers, the smallest first. */
class NumberHeap {
  size = 0;
  #items: Float64Array;

  constructor(capacity: number) {
    this.#items = new Float64Array(Math.max(16, capacity));
  }

  push(item: number): void {
    if (this.size === this.#items.length) {
      const grown = new Float64Array(2 * this.size);
      grown.set(this.#items);
      this.#items = grown;
    }
    const items = this.#items;
    let hole = this.size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (items[parent]! <= item) break;
      items[hole] = items[parent]!;
      hole = parent;
    }
    items[hole] = item;
  }

  pop(): number {
    const items = this.#items;
    const first = items[0]!;
    const size = --this.size;
    const item = items[size]!;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && items[child + 1]! < items[child]!) child += 1;
      if (items[child]! >= item) break;
      items[hole] = items[child]!;
      hole = child;
    }
    items[hole] = item;
    return first;
  }
}

import { PairPositions } from "./pair-positions.js";

/**
 * Weighted words as lists of tokens, at first one for each byte, in which a pair of neighbours can be merged
 * everywhere at once. It keeps the count and the positions of each pair exact, at a cost that depends on how often the
 * merged pair occurs and on nothing else.
 */
export class MergeableTokens {
  /** The text of each token by its number: the 256 bytes, then what merges made. */
  readonly texts: string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  readonly pairs: PairPositions;

  // A position is a byte of the concatenated words; a token is stored at the position of its first byte.
  readonly #tokens: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #weights: Float64Array;

  constructor(words: readonly (readonly [bytes: string, count: number])[]) {
    const positions = words.reduce((sum, [bytes]) => sum + bytes.length, 0);
    this.#tokens = new Int32Array(positions);
    this.#next = new Int32Array(positions).fill(none);
    this.#previous = new Int32Array(positions).fill(none);
    this.#weights = new Float64Array(positions);
    this.pairs = new PairPositions(positions);

    let position = 0;
    for (const [bytes, count] of words) {
      for (let i = 0; i < bytes.length; i++, position++) {
        this.#tokens[position] = bytes.charCodeAt(i);
        this.#weights[position] = count;
        if (i === 0) continue;
        this.#previous[position] = position - 1;
        this.#next[position - 1] = position;
        this.#add(position - 1);
      }
    }
  }

  /**
   * Merges a pair wherever it is, from left to right in each word, as an encoder would.
   *
   * @returns The pairs that occur more often now than before.
   */
  merge(pair: number): ReadonlySet<number> {
    const { pairs } = this;
    const [left, right] = [pairs.left(pair), pairs.right(pair)];
    const token = this.texts.push(this.texts[left]! + this.texts[right]!) - 1;
    const gained = new Set<number>();
    const positions = pairs.positions(pair);
    // In `aaa` two positions overlap, and the left one is merged.
    if (left === right) positions.sort();
    for (const position of positions) {
      const merged = this.#next[position]!;
      if (this.#tokens[position] !== left || merged === none || this.#tokens[merged] !== right) continue;
      const before = this.#previous[position]!;
      const after = this.#next[merged]!;
      if (before !== none) this.#remove(before);
      this.#remove(position);
      if (after !== none) this.#remove(merged);

      this.#tokens[position] = token;
      this.#tokens[merged] = none;
      this.#next[position] = after;
      if (after !== none) this.#previous[after] = position;

      if (before !== none) gained.add(this.#add(before));
      if (after !== none) gained.add(this.#add(position));
    }
    return gained;
  }

  #add(position: number): number {
    const right = this.#tokens[this.#next[position]!]!;
    return this.pairs.add(this.#tokens[position]!, right, position, this.#weights[position]!);
  }

  #remove(position: number): void {
    this.pairs.remove(position, this.#weights[position]!);
  }
}

const none = -1;

import { PairPlaces } from "./pair-places.js";

/**
 * Weighted words as lists of tokens, at first one for each byte, in which a pair of neighbours can be merged
 * everywhere at once. It keeps the count and the places of each pair exact, at a cost that depends on how often the
 * merged pair occurs and on nothing else.
 */
export class MergeableTokens {
  /** The text of each token by its number: the 256 bytes, then what merges made. */
  readonly texts: string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  readonly pairs: PairPlaces;

  // A place is a byte of the words written one after the other; a token sits at the place of its first byte.
  readonly #tokens: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #weights: Float64Array;

  constructor(words: readonly (readonly [bytes: string, count: number])[]) {
    const places = words.reduce((sum, [bytes]) => sum + bytes.length, 0);
    this.#tokens = new Int32Array(places);
    this.#next = new Int32Array(places).fill(none);
    this.#previous = new Int32Array(places).fill(none);
    this.#weights = new Float64Array(places);
    this.pairs = new PairPlaces(places);

    let place = 0;
    for (const [bytes, count] of words) {
      for (let i = 0; i < bytes.length; i++, place++) {
        this.#tokens[place] = bytes.charCodeAt(i);
        this.#weights[place] = count;
        if (i === 0) continue;
        this.#previous[place] = place - 1;
        this.#next[place - 1] = place;
        this.#add(place - 1);
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
    const places = pairs.places(pair);
    // In `aaa` two places overlap, and the left one is merged.
    if (left === right) places.sort();
    for (const place of places) {
      const gone = this.#next[place]!;
      if (this.#tokens[place] !== left || gone === none || this.#tokens[gone] !== right) continue;
      const before = this.#previous[place]!;
      const after = this.#next[gone]!;
      if (before !== none) this.#remove(before);
      this.#remove(place);
      if (after !== none) this.#remove(gone);

      this.#tokens[place] = token;
      this.#tokens[gone] = none;
      this.#next[place] = after;
      if (after !== none) this.#previous[after] = place;

      if (before !== none) gained.add(this.#add(before));
      if (after !== none) gained.add(this.#add(place));
    }
    return gained;
  }

  #add(place: number): number {
    const right = this.#tokens[this.#next[place]!]!;
    return this.pairs.add(this.#tokens[place]!, right, place, this.#weights[place]!);
  }

  #remove(place: number): void {
    this.pairs.remove(place, this.#weights[place]!);
  }
}

const none = -1;

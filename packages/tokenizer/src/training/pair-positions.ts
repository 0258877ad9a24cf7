/**
 * The positions of each pair of tokens, and their count. A position holds one pair or none. Pairs are numbered as they
 * appear. Adding and removing a position costs O(1).
 */
export class PairPositions {
  readonly #numbers = new Map<number, number>();
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #count: number[] = [];

  // The positions of a pair are a doubly linked list through these three.
  readonly #first: number[] = [];
  readonly #following: Int32Array;
  readonly #preceding: Int32Array;
  readonly #pairAt: Int32Array;

  constructor(positions: number) {
    this.#following = new Int32Array(positions);
    this.#preceding = new Int32Array(positions);
    this.#pairAt = new Int32Array(positions);
  }

  /** Number of pairs that have ever been added. */
  get size(): number {
    return this.#left.length;
  }

  left(pair: number): number {
    return this.#left[pair]!;
  }

  right(pair: number): number {
    return this.#right[pair]!;
  }

  /** The sum of the weights of its positions. */
  count(pair: number): number {
    return this.#count[pair]!;
  }

  /** A copy of its positions, in no particular order. */
  positions(pair: number): Int32Array {
    const positions: number[] = [];
    for (let position = this.#first[pair]!; position !== none; position = this.#following[position]!)
      positions.push(position);
    return Int32Array.from(positions);
  }

  /** @returns The pair's number. */
  add(left: number, right: number, position: number, weight: number): number {
    const pair = this.#pairNumber(left, right);
    const first = this.#first[pair]!;
    this.#pairAt[position] = pair;
    this.#preceding[position] = none;
    this.#following[position] = first;
    if (first !== none) this.#preceding[first] = position;
    this.#first[pair] = position;
    this.#count[pair]! += weight;
    return pair;
  }

  /** Removes the pair at `position`. */
  remove(position: number, weight: number): void {
    const pair = this.#pairAt[position]!;
    const [before, after] = [this.#preceding[position]!, this.#following[position]!];
    if (before === none) this.#first[pair] = after;
    else this.#following[before] = after;
    if (after !== none) this.#preceding[after] = before;
    this.#count[pair]! -= weight;
  }

  #pairNumber(left: number, right: number): number {
    const key = left * maxTokens + right;
    const existing = this.#numbers.get(key);
    if (existing !== undefined) return existing;
    const pair = this.#left.length;
    this.#numbers.set(key, pair);
    this.#left.push(left);
    this.#right.push(right);
    this.#count.push(0);
    this.#first.push(none);
    return pair;
  }
}

const none = -1;
const maxTokens = 2 ** 26; // no vocabulary is as large, and its square is a safe integer

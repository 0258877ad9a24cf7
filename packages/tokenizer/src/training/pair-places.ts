/**
 * Where each pair of tokens stands, and how often. A place holds one pair or none. Pairs are numbered as they
 * appear. Adding and removing a place costs O(1).
 */
export class PairPlaces {
  readonly #numbers = new Map<number, number>();
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #count: number[] = [];

  // The places of a pair are a doubly linked list through these three.
  readonly #first: number[] = [];
  readonly #following: Int32Array;
  readonly #preceding: Int32Array;
  readonly #pairAt: Int32Array;

  constructor(places: number) {
    this.#following = new Int32Array(places);
    this.#preceding = new Int32Array(places);
    this.#pairAt = new Int32Array(places);
  }

  /** How many pairs there have ever been. */
  get size(): number {
    return this.#left.length;
  }

  left(pair: number): number {
    return this.#left[pair]!;
  }

  right(pair: number): number {
    return this.#right[pair]!;
  }

  /** The sum of the weights of its places. */
  count(pair: number): number {
    return this.#count[pair]!;
  }

  /** A copy of its places, in no particular order. */
  places(pair: number): Int32Array {
    const places: number[] = [];
    for (let place = this.#first[pair]!; place !== none; place = this.#following[place]!) places.push(place);
    return Int32Array.from(places);
  }

  /** @returns The pair's number. */
  add(left: number, right: number, place: number, weight: number): number {
    const pair = this.#numberOf(left, right);
    const first = this.#first[pair]!;
    this.#pairAt[place] = pair;
    this.#preceding[place] = none;
    this.#following[place] = first;
    if (first !== none) this.#preceding[first] = place;
    this.#first[pair] = place;
    this.#count[pair]! += weight;
    return pair;
  }

  /** Takes the pair at `place` away. */
  remove(place: number, weight: number): void {
    const pair = this.#pairAt[place]!;
    const [before, after] = [this.#preceding[place]!, this.#following[place]!];
    if (before === none) this.#first[pair] = after;
    else this.#following[before] = after;
    if (after !== none) this.#preceding[after] = before;
    this.#count[pair]! -= weight;
  }

  #numberOf(left: number, right: number): number {
    const key = left * tokens + right;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
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
const tokens = 2 ** 26; // no vocabulary is as large, and its square is a safe integer

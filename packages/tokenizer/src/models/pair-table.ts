/** A hash table from a pair of ids to a number, such as the rank of their merge. Two typed arrays, no objects. */
export class PairTable {
  readonly #keys: Int32Array; // left + 1 (0 where empty), right
  readonly #values: Int32Array;

  /** @param capacity - Maximum number of pairs. */
  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
    this.#keys = new Int32Array(2 * slots);
    this.#values = new Int32Array(slots);
  }

  /** Inserts `value`, 0 or more, for the pair, unless there is one already; returns true if it was new. */
  add(left: number, right: number, value: number): boolean {
    const slot = this.#slot(left, right);
    if (this.#keys[2 * slot] !== 0) return false;
    this.#keys[2 * slot] = left + 1;
    this.#keys[2 * slot + 1] = right;
    this.#values[slot] = value;
    return true;
  }

  /** The value of the pair, or -1. */
  find(left: number, right: number): number {
    const slot = this.#slot(left, right);
    return this.#keys[2 * slot] === 0 ? -1 : this.#values[slot]!;
  }

  #slot(left: number, right: number): number {
    const mask = this.#values.length - 1;
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 0x7f4a7c15, 0x85ebca6b);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const key = this.#keys[2 * slot]!;
      if (key === 0 || (key === left + 1 && this.#keys[2 * slot + 1] === right)) return slot;
    }
  }
}

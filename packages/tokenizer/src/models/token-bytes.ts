/**
 * A vocabulary as bytes: the tokens concatenated, and a hash table from bytes to ids.
 *
 * It has four typed arrays, so that 200,000 tokens load in some ten milliseconds and add no objects for the garbage collector.
 * An id whose token is empty is a gap. Where two ids have the same bytes, the lower one is found.
 */
export class TokenBytes {
  /** Number of ids, gaps included. */
  readonly size: number;
  readonly #arena: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #hashes: Int32Array;
  readonly #slots: Int32Array; // id + 1, or 0

  /**
   * @param arena - The bytes of all tokens, in order of their ids.
   * @param starts - The start of each token in `arena`, then the end of the last one.
   */
  constructor(arena: Uint8Array, starts: Uint32Array) {
    this.size = starts.length - 1;
    this.#arena = arena;
    this.#starts = starts;
    this.#hashes = new Int32Array(this.size);
    const mask = 2 ** Math.ceil(Math.log2(2 * this.size + 2)) - 1;
    this.#slots = new Int32Array(mask + 1);
    for (let id = 0; id < this.size; id++) {
      const [start, end] = [starts[id]!, starts[id + 1]!];
      if (start === end) continue;
      const hash = fnv1a(seed, arena, start, end);
      this.#hashes[id] = hash;
      let slot = mixBits(hash) & mask;
      for (let stored = this.#slots[slot]!; stored !== 0; stored = this.#slots[slot]!) {
        if (this.#equals(stored - 1, hash, arena, start, end)) break;
        slot = (slot + 1) & mask;
      }
      if (this.#slots[slot] === 0) this.#slots[slot] = id + 1;
    }
  }

  /** The vocabulary of `tokens`, by id; undefined is a gap. */
  static fromTokens(tokens: readonly (Uint8Array | undefined)[]): TokenBytes {
    const starts = new Uint32Array(tokens.length + 1);
    tokens.forEach((token, id) => (starts[id + 1] = starts[id]! + (token?.length ?? 0)));
    const arena = new Uint8Array(starts[tokens.length]!);
    tokens.forEach((token, id) => token && arena.set(token, starts[id]));
    return new TokenBytes(arena, starts);
  }

  /** The id of `bytes[start .. end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const hash = fnv1a(seed, bytes, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = mixBits(hash) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1;
      if (id < 0 || this.#equals(id, hash, bytes, start, end)) return id;
    }
  }

  /** The id of the bytes of `left` and then those of `right`, or -1; also -1 if one of them is a gap. */
  findConcatenation(left: number, right: number): number {
    const [starts, arena] = [this.#starts, this.#arena];
    const [rightStart, rightEnd] = [starts[right]!, starts[right + 1]!];
    const leftLength = starts[left + 1]! - starts[left]!;
    if (leftLength === 0 || rightStart === rightEnd) return -1;
    const hash = fnv1a(this.#hashes[left]!, arena, rightStart, rightEnd);
    const mask = this.#slots.length - 1;
    for (let slot = mixBits(hash) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] !== hash) continue;
      const start = starts[id]!;
      if (starts[id + 1]! - start !== leftLength + rightEnd - rightStart) continue;
      if (!sameBytes(arena, start, arena, starts[left]!, leftLength)) continue;
      if (sameBytes(arena, start + leftLength, arena, rightStart, rightEnd - rightStart)) return id;
    }
  }

  /** The bytes of a token, a view; none for a gap. */
  bytes(id: number): Uint8Array {
    return this.#arena.subarray(this.#starts[id], this.#starts[id + 1]);
  }

  /** Length of a token in bytes. */
  length(id: number): number {
    return this.#starts[id + 1]! - this.#starts[id]!;
  }

  #equals(id: number, hash: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#hashes[id] !== hash) return false;
    const at = this.#starts[id]!;
    return (
      this.#starts[id + 1]! - at === end - start && sameBytes(this.#arena, at, bytes, start, end - start)
    );
  }
}

// FNV-1a: the hash of "ab" is computed from the hash of "a" and "b", as findConcatenation needs.
const seed = 0x811c9dc5 | 0;

function fnv1a(start: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = start;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}

/** Mixes the high bits into the low ones, which FNV distributes poorly. */
const mixBits = (hash: number): number => hash ^ (hash >>> 15);

function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

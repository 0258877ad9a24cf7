/**
 * Caches the tokens of short pre-tokens, since texts repeat words. A pre-token is looked up by its UTF-16 units in the
 * text: no substring is created, and a hit allocates nothing.
 *
 * It is cleared when it is full, so that its memory is bounded.
 */
export class PreTokenCache {
  readonly #slots = new Int32Array(slotCount); // index of the entry + 1, or 0
  #entries = new Int32Array(1 << 10); // hash, start in units, start in tokens; then that of the next entry
  #units = new Uint16Array(1 << 12);
  #tokens = new Int32Array(1 << 12);
  #count = 0;
  #slot = 0;
  #hash = 0;

  /** Appends the tokens of `text[start .. end)` to `ids` if they are cached; returns true for a hit. */
  append(text: string, start: number, end: number, ids: number[]): boolean {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    const [slots, entries, units] = [this.#slots, this.#entries, this.#units];
    let slot = (hash ^ (hash >>> 15)) & (slotCount - 1);
    search: for (let stored = slots[slot]!; stored !== 0; stored = slots[slot]!) {
      const entry = 3 * (stored - 1);
      const from = entries[entry + 1]!;
      if (entries[entry] === hash && entries[entry + 4]! - from === end - start) {
        for (let at = start, unit = from; at < end; at++, unit++) {
          if (units[unit] !== text.charCodeAt(at)) {
            slot = (slot + 1) & (slotCount - 1);
            continue search;
          }
        }
        const last = entries[entry + 5]!;
        for (let token = entries[entry + 2]!; token < last; token++) ids.push(this.#tokens[token]!);
        return true;
      }
      slot = (slot + 1) & (slotCount - 1);
    }
    this.#slot = slot;
    this.#hash = hash;
    return false;
  }

  /** Inserts the pre-token that `append` just missed, with the tokens of `ids` from `first` on. */
  insert(text: string, start: number, end: number, ids: readonly number[], first: number): void {
    if (this.#count === maxEntries) {
      this.#slots.fill(0);
      this.#count = 0;
      this.#slot = (this.#hash ^ (this.#hash >>> 15)) & (slotCount - 1);
    }
    const entry = 3 * this.#count;
    if (entry + 6 > this.#entries.length) this.#entries = doubled(this.#entries, Int32Array);
    const entries = this.#entries;
    let [unit, token] = [entries[entry + 1]!, entries[entry + 2]!];
    entries[entry] = this.#hash;
    while (unit + end - start > this.#units.length) this.#units = doubled(this.#units, Uint16Array);
    for (let at = start; at < end; at++) this.#units[unit++] = text.charCodeAt(at);
    while (token + ids.length - first > this.#tokens.length) this.#tokens = doubled(this.#tokens, Int32Array);
    for (let at = first; at < ids.length; at++) this.#tokens[token++] = ids[at]!;
    entries[entry + 4] = unit;
    entries[entry + 5] = token;
    this.#slots[this.#slot] = ++this.#count;
  }
}

/** The longest pre-token that is cached. Unit: UTF-16 units. */
export const maxCachedLength = 40;

const maxEntries = 1 << 16;
const slotCount = 2 * maxEntries;

function doubled<T extends Int32Array | Uint16Array>(array: T, Kind: new (length: number) => T): T {
  const larger = new Kind(2 * array.length);
  larger.set(array);
  return larger;
}

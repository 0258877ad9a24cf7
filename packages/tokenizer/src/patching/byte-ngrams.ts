import { ArgumentError, ByteReader, checks, FormatError } from "@qkv/core";

/**
 * Counts of the byte n-grams of a text, as a trie: a node is an n-gram, its children are those one byte longer. Nodes are
 * numbered level by level, so that the children of a node are consecutive; node 0 is the empty string, which occurs once
 * for each byte.
 */
export type ByteNgrams = {
  /** Context length in bytes: n-grams are up to `order + 1` bytes long. */
  readonly order: number;
  /** The last byte of each n-gram. */
  readonly bytes: Uint8Array;
  readonly counts: Float64Array;
  /** The first child of each node, and how many there are, in the order of their bytes. */
  readonly first: Int32Array;
  readonly children: Uint16Array;
};

/**
 * Counts all n-grams of up to `order + 1` bytes that occur twice or more.
 *
 * Time: O(order · bytes). Each level sorts the positions of each n-gram of the previous level by their next byte.
 */
export function countByteNgrams(text: Uint8Array, order: number): ByteNgrams {
  const [bytes, counts, first, children] = [[0], [text.length], [] as number[], [] as number[]];
  let positions = Int32Array.from(text, (_, at) => at);
  let sorted = new Int32Array(text.length);
  // For each node of the level, the range of its positions in `positions`.
  let level: [start: number, end: number][] = [[0, text.length]];
  for (let length = 0; length <= order; length++) {
    const next: typeof level = [];
    let filled = 0;
    for (const [start, end] of level) {
      const countPerByte = new Int32Array(256);
      for (let i = start; i < end; i++) {
        const at = positions[i]! + length;
        if (at < text.length) countPerByte[text[at]!]! += 1;
      }
      first.push(bytes.length);
      const ends = new Int32Array(256);
      for (let byte = 0; byte < 256; byte++) {
        if (countPerByte[byte]! < 2) continue;
        bytes.push(byte);
        counts.push(countPerByte[byte]!);
        next.push([filled, filled + countPerByte[byte]!]);
        ends[byte] = filled;
        filled += countPerByte[byte]!;
      }
      children.push(bytes.length - first.at(-1)!);
      for (let i = start; i < end; i++) {
        const at = positions[i]! + length;
        if (at < text.length && countPerByte[text[at]!]! >= 2) sorted[ends[text[at]!]!++] = positions[i]!;
      }
    }
    [positions, sorted] = [sorted, positions];
    level = next;
  }
  return createTrie(order, bytes, counts, first, children);
}

/**
 * Writes the counts to a file. The rarest n-grams are omitted until it fits `maxBytes`.
 *
 * Format: `qkvb`, a byte 1 for the version, a byte for the order, the length of the text; then, level by level, for each node its number of
 * children, and for each child its byte and its count. The longest n-grams have no number of children. Numbers have
 * 7 bits per byte, lowest first, and all bytes except the last have the highest bit set (LEB128).
 *
 * @throws {ArgumentError} If `maxBytes` is smaller than a file without n-grams.
 */
export function writeByteNgrams(trie: ByteNgrams, maxBytes: number): Uint8Array {
  let [low, high] = [2, 2 + trie.counts.reduce((max, count) => Math.max(max, count), 0)];
  // Binary search for the minimum count: fewer n-grams never make the file longer.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (encode(trie, middle).length <= maxBytes) high = middle;
    else low = middle + 1;
  }
  const file = encode(trie, low);
  if (file.length <= maxBytes) return Uint8Array.from(file);
  throw new ArgumentError({
    fn: "trainByteNgrams",
    argument: "maxBytes",
    received: maxBytes,
    expected: `${file.length} or more`,
    fix: "leave it out for 200,000 bytes.",
  });
}

function encode({ order, bytes, counts, first, children }: ByteNgrams, minCount: number): number[] {
  const file = [...new TextEncoder().encode(magic), version, order];
  const write = (value: number) => {
    for (; value > 127; value = Math.floor(value / 128)) file.push((value % 128) + 128);
    file.push(value);
  };
  write(counts[0]!);
  let level = [0];
  for (let length = 0; length <= order; length++) {
    const next: number[] = [];
    for (const node of level) {
      const frequent: number[] = [];
      for (let child = first[node]!; child < first[node]! + children[node]!; child++) {
        if (counts[child]! >= minCount) frequent.push(child);
      }
      write(frequent.length);
      for (const child of frequent) {
        file.push(bytes[child]!);
        write(counts[child]!);
        next.push(child);
      }
    }
    level = next;
  }
  return file;
}

/**
 * Reads a file of {@link writeByteNgrams}.
 *
 * @throws {FormatError} If the file is damaged or of another format; the field is named.
 */
export function readByteNgrams(file: Uint8Array): ByteNgrams {
  const reader = new ByteReader(file, { fn: "byteNgramModel", source: "byte counts" });
  const check = checks("byteNgramModel", {
    fix: "give a file that `qkv train-tokenizer --bytes` or `trainByteNgrams` made.",
  });
  const damaged = (field: string, received: unknown, expected: string): never =>
    check.refuse({ argument: `byte counts: ${field}`, received, expected }, FormatError);
  const readVarint = (field: string): number => {
    let [value, unit] = [0, 1];
    for (;;) {
      const byte = reader.uint8(field);
      value += (byte & 127) * unit;
      if (byte < 128) return value;
      unit *= 128;
      if (unit > 2 ** 42) damaged(field, "a number of more than 7 bytes", "a count below 2^49");
    }
  };

  const fileMagic = reader.remaining >= 4 ? String.fromCharCode(...reader.bytes("magic", 4)) : "";
  if (fileMagic !== magic) damaged("magic", fileMagic, JSON.stringify(magic));
  const fileVersion = reader.uint8("version");
  if (fileVersion !== version) damaged("version", fileVersion, String(version));
  const order = reader.uint8("order");
  if (order > highestOrder) damaged("order", order, `at most ${highestOrder}`);
  const [bytes, counts, first, children] = [[0], [readVarint("length")], [] as number[], [] as number[]];
  for (let length = 0, node = 0; length <= order; length++) {
    for (const end = bytes.length; node < end; node++) {
      const childCount = readVarint("nodes");
      if (childCount > 256) damaged(`nodes[${node}].children`, childCount, "at most 256");
      first.push(bytes.length);
      children.push(childCount);
      for (let before = -1, last = bytes.length + childCount; bytes.length < last;) {
        const byte = reader.uint8("nodes");
        const count = readVarint("nodes");
        if (byte <= before) damaged(`nodes[${bytes.length}].byte`, byte, `more than ${before}`);
        if (count < 1 || count > counts[node]!) {
          damaged(`nodes[${bytes.length}].count`, count, `1 to ${counts[node]}, the count of its prefix`);
        }
        before = byte;
        bytes.push(byte);
        counts.push(count);
      }
    }
  }
  if (reader.remaining > 0) damaged("end", `${reader.remaining} more bytes`, "the end of the file");
  return createTrie(order, bytes, counts, first, children);
}

/** Builds the trie. The longest n-grams, which are last, have no children. */
function createTrie(
  order: number,
  bytes: number[],
  counts: number[],
  first: number[],
  children: number[],
): ByteNgrams {
  const leaves = bytes.length - first.length;
  return {
    order,
    bytes: Uint8Array.from(bytes),
    counts: Float64Array.from(counts),
    first: Int32Array.from(first.concat(Array<number>(leaves).fill(bytes.length))),
    children: Uint16Array.from(children.concat(Array<number>(leaves).fill(0))),
  };
}

export const highestOrder = 15;
const magic = "qkvb";
const version = 1;

// Mutations of real files, as a damaged or hostile file may contain them.

/** A seeded generator: `randomBelow(n)` returns an integer in `[0, n)`. */
export function randomIntegers(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

// Limits of integer types, for the fields of lengths, offsets and counts.
const integers = [
  0n,
  1n,
  127n,
  128n,
  255n,
  65535n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];
const words = [
  '"__proto__"',
  '"constructor"',
  '"toString"',
  "-1",
  "1e308",
  "1e999",
  "9007199254740993",
  "0.5",
  "null",
  "[]",
  "{}",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  "true",
  "[[[[[[[[[[[[[[[[",
  '{"a":'.repeat(20),
  "(a+)+$",
  "(.*a){9}",
  "(a?){30}",
  "(?=",
  "[",
  "\\p{L}{1,9999}",
];

const mutations = [
  function flipBit(bytes, randomBelow) {
    const out = bytes.slice();
    out[randomBelow(out.length)] ^= 1 << randomBelow(8);
    return out;
  },
  function replaceByte(bytes, randomBelow) {
    const out = bytes.slice();
    out[randomBelow(out.length)] = randomBelow(256);
    return out;
  },
  function writeInteger(bytes, randomBelow) {
    const out = bytes.slice();
    const width = [1, 2, 4, 8][randomBelow(4)];
    const value = integers[randomBelow(integers.length)];
    const at = randomBelow(out.length);
    for (let i = 0; i < width && at + i < out.length; i++)
      out[at + i] = Number((value >> BigInt(8 * i)) & 255n);
    return out;
  },
  function truncate(bytes, randomBelow) {
    return bytes.slice(0, randomBelow(bytes.length));
  },
  function removeRange(bytes, randomBelow) {
    const from = randomBelow(bytes.length);
    const until = Math.min(bytes.length, from + 1 + randomBelow(16));
    return concat(bytes.subarray(0, from), bytes.subarray(until));
  },
  function repeatRange(bytes, randomBelow) {
    const from = randomBelow(bytes.length);
    const part = bytes.subarray(from, from + 1 + randomBelow(32));
    const many = Array.from({ length: 1 + randomBelow(8) }, () => part);
    return concat(bytes.subarray(0, from), ...many, bytes.subarray(from));
  },
  function insertWord(bytes, randomBelow) {
    const from = randomBelow(bytes.length);
    const text = new TextEncoder().encode(words[randomBelow(words.length)]);
    return concat(bytes.subarray(0, from), text, bytes.subarray(from + randomBelow(8)));
  },
  function replaceJsonValue(bytes, randomBelow) {
    // Replaces a JSON value by another value of the text, or by one of `words`.
    const text = new TextDecoder().decode(bytes);
    const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g)];
    if (values.length === 0) return bytes;
    const { 0: old, index } = values[randomBelow(values.length)];
    const now =
      randomBelow(2) === 0 ? words[randomBelow(words.length)] : values[randomBelow(values.length)][0];
    return new TextEncoder().encode(text.slice(0, index) + now + text.slice(index + old.length));
  },
];

function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * @param {readonly Uint8Array[]} files
 * @param {number} seed
 * @returns {Uint8Array} One of the files, with one to four mutations.
 */
export function mutate(files, seed) {
  const randomBelow = randomIntegers(seed);
  let bytes = files[randomBelow(files.length)];
  for (let n = 1 + randomBelow(4); n > 0 && bytes.length > 0; n--)
    bytes = mutations[randomBelow(mutations.length)](bytes, randomBelow);
  return bytes;
}

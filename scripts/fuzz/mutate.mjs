// Bytes near to those of a real file: what a damaged or a hostile file may hold.

/** Numbers below n, the same for the same seed. */
export function chooser(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

// Where lengths, offsets and counts are read, the largest and the smallest that fit.
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

const changes = [
  function flip(bytes, below) {
    const out = bytes.slice();
    out[below(out.length)] ^= 1 << below(8);
    return out;
  },
  function byte(bytes, below) {
    const out = bytes.slice();
    out[below(out.length)] = below(256);
    return out;
  },
  function integer(bytes, below) {
    const out = bytes.slice();
    const width = [1, 2, 4, 8][below(4)];
    const value = integers[below(integers.length)];
    const at = below(out.length);
    for (let i = 0; i < width && at + i < out.length; i++)
      out[at + i] = Number((value >> BigInt(8 * i)) & 255n);
    return out;
  },
  function cut(bytes, below) {
    return bytes.slice(0, below(bytes.length));
  },
  function leaveOut(bytes, below) {
    const from = below(bytes.length);
    const until = Math.min(bytes.length, from + 1 + below(16));
    return join(bytes.subarray(0, from), bytes.subarray(until));
  },
  function repeat(bytes, below) {
    const from = below(bytes.length);
    const part = bytes.subarray(from, from + 1 + below(32));
    const many = Array.from({ length: 1 + below(8) }, () => part);
    return join(bytes.subarray(0, from), ...many, bytes.subarray(from));
  },
  function word(bytes, below) {
    const from = below(bytes.length);
    const text = new TextEncoder().encode(words[below(words.length)]);
    return join(bytes.subarray(0, from), text, bytes.subarray(from + below(8)));
  },
  function value(bytes, below) {
    // A value of a JSON text in another's place.
    const text = new TextDecoder().decode(bytes);
    const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g)];
    if (values.length === 0) return bytes;
    const { 0: old, index } = values[below(values.length)];
    const now = below(2) === 0 ? words[below(words.length)] : values[below(values.length)][0];
    return new TextEncoder().encode(text.slice(0, index) + now + text.slice(index + old.length));
  },
];

function join(...parts) {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * @param {readonly Uint8Array[]} files - Real ones.
 * @param {number} seed
 * @returns {Uint8Array} One of them, changed in one to four places.
 */
export function mutate(files, seed) {
  const below = chooser(seed);
  let bytes = files[below(files.length)];
  for (let n = 1 + below(4); n > 0 && bytes.length > 0; n--)
    bytes = changes[below(changes.length)](bytes, below);
  return bytes;
}

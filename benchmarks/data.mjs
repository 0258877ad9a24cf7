/** The same data in every process: uniform values in [-1, 1), from Marsaglia's xorshift. */
export function numbers(seed, length, scale = 1) {
  const out = new Float32Array(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = (state / 2 ** 31) * scale;
  }
  return out;
}

/** Inputs of a self-test of attention without a mask, queries `[1, 1, T, D]` and keys `[1, 1, S, D]`, and the correct results. */
export type AttentionSample = {
  readonly headDim: number;
  /** Several queries, and one: they run different shaders. */
  readonly queries: readonly Float32Array[];
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly expected: readonly Float64Array[];
};

/** The sample, with sizes that are no multiples of the shaders' tiles. */
export function attentionSample(): AttentionSample {
  const headDim = 20;
  const numbers = (rows: number, seed: number) =>
    Float32Array.from({ length: rows * headDim }, (_, i) => Math.sin(seed * (i + 1) ** 1.5));
  const queries = [numbers(9, 1), numbers(1, 2)];
  const [key, value] = [numbers(70, 3), numbers(70, 4)];
  return {
    headDim,
    queries,
    key,
    value,
    expected: queries.map((query) => plainAttention(query, key, value, headDim)),
  };
}

/** softmax(Q Kᵀ / √D) V by definition, in float64. */
function plainAttention(
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  D: number,
): Float64Array {
  const mixed = new Float64Array(query.length);
  for (let t = 0; t < query.length; t += D) {
    let total = 0;
    for (let s = 0; s < key.length; s += D) {
      let dot = 0;
      for (let d = 0; d < D; d++) dot += query[t + d]! * key[s + d]!;
      const weight = Math.exp(dot / Math.sqrt(D));
      total += weight;
      for (let d = 0; d < D; d++) mixed[t + d]! += weight * value[s + d]!;
    }
    for (let d = 0; d < D; d++) mixed[t + d]! /= total;
  }
  return mixed;
}

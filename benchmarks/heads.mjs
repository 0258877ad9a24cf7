// Queries, keys and values of the attention rows, and the expected output, computed by plain loops.
import { numbers } from "./data.mjs";

/** [H, T, D] and [Hkv, S, D], each in one allocation; unit variance. */
export function heads({ numHeads, numKvHeads, headDim, queryLength, keyLength }) {
  const unit = Math.sqrt(3); // a uniform distribution over ±√3 has unit variance
  return {
    query: numbers(1, numHeads * queryLength * headDim, unit),
    key: numbers(2, numKvHeads * keyLength * headDim, unit),
    value: numbers(3, numKvHeads * keyLength * headDim, unit),
  };
}

/**
 * Attention, one query at a time. Query `i` is at position `keyLength - queryLength + i`, and sees the keys from
 * `first(position)` to `last(position)`.
 *
 * @param out - [H, T, D]; only the queries of `only` are computed.
 */
export function plainAttention(shape, { query, key, value }, { first, last }, out, only) {
  const { numHeads, numKvHeads, headDim, queryLength, keyLength } = shape;
  const scores = new Float64Array(keyLength);
  const scale = 1 / Math.sqrt(headDim);
  for (let head = 0; head < numHeads; head++) {
    const keys = Math.floor((head * numKvHeads) / numHeads) * keyLength * headDim;
    for (const i of only) {
      const at = (head * queryLength + i) * headDim;
      const [from, to] = [first(keyLength - queryLength + i), last(keyLength - queryLength + i)];
      let top = -Infinity;
      for (let j = from; j <= to; j++) {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += query[at + d] * key[keys + j * headDim + d];
        scores[j] = dot * scale;
        if (scores[j] > top) top = scores[j];
      }
      let sum = 0;
      for (let j = from; j <= to; j++) sum += scores[j] = Math.exp(scores[j] - top);
      out.fill(0, at, at + headDim);
      for (let j = from; j <= to; j++) {
        const weight = scores[j] / sum;
        for (let d = 0; d < headDim; d++) out[at + d] += weight * value[keys + j * headDim + d];
      }
    }
  }
  return out;
}

/** Transposes [H, T, D] to [T, H, D] and, with lengths swapped, back. */
export function swapAxes(data, outer, inner, headDim) {
  const out = new data.constructor(data.length);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      const from = (i * inner + j) * headDim;
      out.set(data.subarray(from, from + headDim), (j * outer + i) * headDim);
    }
  }
  return out;
}

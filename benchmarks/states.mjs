// Inputs of mixers with a state of fixed size, and their outputs, computed by plain loops token by token.
import { numbers } from "./data.mjs";

/** Scales uniform values to unit variance. */
const unit = Math.sqrt(3);

/** The gated delta rule: [B, H, T, D], each in one allocation, keys of unit norm; gates are [B, H, T]. */
export function gatedDelta({ batch = 1, numHeads, length, headDim }) {
  const rows = batch * numHeads * length;
  return {
    query: numbers(1, rows * headDim, unit),
    key: normalized(numbers(2, rows * headDim), headDim),
    value: numbers(3, rows * headDim, unit),
    decay: numbers(4, rows, 0.05).map((x) => x - 0.05),
    beta: numbers(5, rows, 0.5).map((x) => x + 0.5),
  };
}

/** Mamba-2: C and B shared by all heads, [1, 1, T, D]; x is [1, H, T, D], Δ [1, H, T], A [H]. */
export function ssdInputs({ numHeads, length, headDim }) {
  return {
    query: numbers(1, length * headDim, unit),
    key: numbers(2, length * headDim, unit),
    value: numbers(3, numHeads * length * headDim, unit),
    deltaTime: numbers(4, numHeads * length, 0.05).map((x) => x + 0.06),
    A: numbers(5, numHeads, 0.4).map((x) => x - 0.6),
  };
}

/** Mamba-2 as a recurrence with all inputs per head: the inputs of {@link plainStates} without `beta`. */
export function ssdSteps({ numHeads, length, headDim }, { query, key, value, deltaTime, A }) {
  const everyHead = (x) => {
    const out = new Float32Array(numHeads * x.length);
    for (let head = 0; head < numHeads; head++) out.set(x, head * x.length);
    return out;
  };
  return {
    query: everyHead(query),
    key: everyHead(key),
    value: value.map((x, i) => x * deltaTime[Math.floor(i / headDim)]),
    decay: deltaTime.map((x, i) => x * A[Math.floor(i / length)]),
  };
}

/** A state per head: [B, H, D, D]. */
export const firstStates = ({ batch = 1, numHeads, headDim }) =>
  numbers(6, batch * numHeads * headDim * headDim);

/**
 * `S ← exp(decay) S`, `S ← S + k (beta (v − Sᵀ k))ᵀ`, `o = scale · Sᵀ q`, for each head; without `beta`,
 * `S ← S + k vᵀ`.
 *
 * @param states - [heads, D, D], updated in place.
 * @param out - [heads, T, D]
 * @param only - Heads to compute. Default: all.
 */
export function plainStates(
  { length, headDim: D },
  { query, key, value, decay, beta },
  states,
  out,
  scale = 1 / Math.sqrt(D),
  only = Array.from({ length: states.length / D / D }, (_, head) => head),
) {
  const [written, read] = [new Float64Array(D), new Float64Array(D)];
  for (const head of only) {
    const S = states.subarray(head * D * D, (head + 1) * D * D);
    for (let t = 0; t < length; t++) {
      const row = head * length + t;
      const at = row * D;
      const decayFactor = Math.exp(decay[row]);
      written.fill(0);
      for (let i = 0; beta && i < D; i++) {
        const k = key[at + i] * decayFactor;
        for (let j = 0; j < D; j++) written[j] -= k * S[i * D + j];
      }
      for (let j = 0; j < D; j++) written[j] = (written[j] + value[at + j]) * (beta ? beta[row] : 1);
      read.fill(0);
      for (let i = 0; i < D; i++) {
        const [k, q] = [key[at + i], query[at + i] * scale];
        for (let j = 0; j < D; j++) {
          const s = S[i * D + j] * decayFactor + k * written[j];
          S[i * D + j] = s;
          read[j] += q * s;
        }
      }
      for (let j = 0; j < D; j++) out[at + j] = read[j];
    }
  }
  return out;
}

function normalized(x, dim) {
  for (let at = 0; at < x.length; at += dim) {
    const row = x.subarray(at, at + dim);
    const norm = Math.hypot(...row);
    for (let i = 0; i < dim; i++) row[i] /= norm;
  }
  return x;
}

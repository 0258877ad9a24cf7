import type { AttentionInputs, CheckCase, ProductInputs } from "./subject.js";

/** The result of a case in float64: `[M, N]` or `[H, T, D]`. The loops share no code with any device. */
export function referenceInFloat64(checkCase: CheckCase): Float64Array {
  return checkCase.kind === "matmul"
    ? matmulInFloat64(checkCase.inputs())
    : attentionInFloat64(checkCase.inputs());
}

function matmulInFloat64({ M, K, N, a, b }: ProductInputs): Float64Array {
  const out = new Float64Array(M * N);
  for (let m = 0; m < M; m++)
    for (let k = 0; k < K; k++) for (let n = 0; n < N; n++) out[m * N + n]! += a[m * K + k]! * b[k * N + n]!;
  return out;
}

function attentionInFloat64({ H, T, S, D, query, key, value, mask }: AttentionInputs): Float64Array {
  const out = new Float64Array(H * T * D);
  const seen = (t: number, s: number) =>
    mask === undefined || (mask === "causal" ? s <= t + S - T : mask[t * S + s] === 1);
  for (let h = 0; h < H; h++) {
    for (let t = 0; t < T; t++) {
      const scores: [key: number, score: number][] = [];
      for (let s = 0; s < S; s++) {
        if (!seen(t, s)) continue;
        let dot = 0;
        for (let d = 0; d < D; d++) dot += query[(h * T + t) * D + d]! * key[(h * S + s) * D + d]!;
        scores.push([s, dot / Math.sqrt(D)]);
      }
      let largest = -Infinity;
      for (const [, score] of scores) largest = Math.max(largest, score);
      let sum = 0;
      for (const [, score] of scores) sum += Math.exp(score - largest);
      for (const [s, score] of scores) {
        const weight = Math.exp(score - largest) / sum;
        for (let d = 0; d < D; d++) out[(h * T + t) * D + d]! += weight * value[(h * S + s) * D + d]!;
      }
    }
  }
  return out;
}

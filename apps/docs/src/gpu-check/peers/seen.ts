import type { AttentionInputs } from "@qkv/device/check";

/** `[T, S]` of a case's mask: 1 if a query sees a key; undefined without a mask. */
export function seenOf({ T, S, mask }: AttentionInputs): Uint8Array | undefined {
  if (mask !== "causal") return mask;
  // The queries are the last T of S positions.
  return Uint8Array.from({ length: T * S }, (_, i) => Number((i % S) + T <= Math.floor(i / S) + S));
}

/** The same as an additive mask: 0 if the query sees the key, otherwise −∞. */
export function addedToScores(seen: Uint8Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(seen, (one) => (one === 1 ? 0 : -Infinity));
}

/** Transposes `[a, b, D]` to `[b, a, D]`. */
export function swapFirstAxes(
  data: ArrayLike<number>,
  a: number,
  b: number,
  D: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(a * b * D);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let d = 0; d < D; d++) out[(j * a + i) * D + d] = data[(i * b + j) * D + d]!;
  return out;
}

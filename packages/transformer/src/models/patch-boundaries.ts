import type { Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";

/**
 * Patch ends: the first byte of a text, and each byte whose next byte is uncertain. This depends only on earlier bytes,
 * so the patches of a text stay the same when it is continued.
 *
 * @param logits - Logits of the entropy model, `[B, T, V]`.
 * @param before - Number of earlier bytes, per batch.
 * @param threshold - Unit: nats.
 * @returns T booleans per batch.
 */
export function uncertainEnds(logits: Tensor, before: readonly number[], threshold: number): boolean[][] {
  const [, T, V] = logits.shape as [number, number, number];
  const logitData = logits.data as Float32Array;
  return before.map((start, b) =>
    Array.from({ length: T }, (_, t) => {
      const first = (b * T + t) * V;
      return start + t === 0 || entropy(logitData.subarray(first, first + V)) > threshold;
    }),
  );
}

/** Entropy of the softmax of logits. Unit: nats. */
function entropy(logits: Float32Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  let [total, weighted] = [0, 0];
  for (const logit of logits) {
    const weight = Math.exp(logit - largest);
    total += weight;
    weighted += weight * (logit - largest);
  }
  return Math.log(total) - weighted / total;
}

/** Patch lengths from patch ends. The last patch is open, and has length 0 if the last byte ended a patch. */
export function lengthsFromEnds(ends: readonly boolean[]): number[] {
  const endPositions = ends.flatMap((isEnd, t) => (isEnd ? [t + 1] : []));
  return [...endPositions, ends.length].map((end, n) => end - (endPositions[n - 1] ?? 0));
}

/** Patch ends from patch lengths, `[patches]` or `[B][patches]`. The last patch is open. */
export function endsFromLengths(
  check: Checks,
  lengths: ArrayLike<number> | readonly ArrayLike<number>[],
  [B, T]: readonly [batches: number, bytes: number],
): boolean[][] {
  const fix =
    "begin with 1, the patch of the start token: [1, 4, 3] are three patches, of which the last is open.";
  check.list({ patchLengths: lengths }, "lengths of patches, or such a list per batch", undefined, fix);
  const perBatch = typeof lengths[0] === "object";
  return Array.from({ length: B }, (_, b) => {
    const batchLengths = Array.from((perBatch ? (lengths[b] ?? []) : lengths) as ArrayLike<number>);
    const isLength = (n: number, i: number) =>
      Number.isSafeInteger(n) && (i === 0 ? n === 1 : n >= (i === batchLengths.length - 1 ? 0 : 1));
    const total = batchLengths.reduce((a, b) => a + b, 0);
    if (batchLengths.length < 2 || !batchLengths.every(isLength) || total < T) {
      check.refuse({
        argument: "patchLengths",
        received: perBatch ? batchLengths : lengths,
        expected: `lengths of two patches or more, the first one 1, for ${T} bytes together`,
        fix,
      });
    }
    const ends = new Array<boolean>(T).fill(false);
    let end = 0;
    for (const length of batchLengths.slice(0, -1)) if ((end += length) <= T) ends[end - 1] = true;
    return ends;
  });
}

import { checks } from "@qkv/core";
import type { EvictionScore } from "@qkv/attention-contract";
import { concat, slice, take, tensor, type Tensor } from "@qkv/tensor";
import type { Sequence } from "./evicting-sequence.js";

/** A token that may be evicted: a stored one, in `slot` of the buffers, or a new one, with index `added` among the new tokens. */
export type Candidate = { readonly position: number; readonly slot?: number; readonly added?: number };

/** The candidates for eviction of one sequence, and the tensors from which their scores are computed. */
export type Choice = {
  /** Stored tokens in order of position, then the new ones: one list for all key-value heads, or one list per head. */
  readonly candidates: readonly (readonly Candidate[])[];
  readonly sequence: Sequence;
  /** Number of slots of a buffer. */
  readonly capacity: number;
  /** Buffers of the sequence, `[1, Hkv, capacity, D]`, and its new tokens, `[1, Hkv, T, D]`. */
  readonly key: { readonly stored: Tensor; readonly added: Tensor };
  readonly value: { readonly stored: Tensor; readonly added: Tensor };
  readonly query: Tensor | undefined;
};

/** Computes the scores of S candidates, `[Hkv, S]` row-major. Refuses a score function that returns NaN or another shape. */
export function candidateScores(
  score: EvictionScore,
  { candidates, sequence, capacity, key, value, query }: Choice,
): number[] {
  const { device, dtype } = key.added;
  const [Hkv, newTokens] = [key.added.shape[1]!, key.added.shape[2]!];
  const S = candidates[0]!.length;
  const numStored = S - newTokens;
  const slots = candidates.map((list) => list.slice(0, numStored).map(({ slot }) => slot!));
  const rows = ({ stored, added }: Choice["key"]) => {
    const storedRows = slots.map((listSlots, list) =>
      take(
        headsOfList(stored, list, slots.length),
        2,
        tensor(listSlots, { dtype: "int32", shape: [numStored], device }),
      ),
    );
    return concat([concat(storedRows, 1), added], 2);
  };
  const previous = Float64Array.from({ length: Hkv * numStored }, (_, i) => {
    const [head, n] = [Math.floor(i / numStored), i % numStored];
    return sequence.scores[head * capacity + slots[slots.length === 1 ? 0 : head]![n]!]!;
  });
  const positions = candidates.map((list) => list.map(({ position }) => position));
  const samePositions = positions.every((list) => list.every((position, s) => position === positions[0]![s]));
  return device.scope(() => {
    const result = score.score({
      key: rows(key),
      value: rows(value),
      positions: Int32Array.from(samePositions ? positions[0]! : positions.flat()),
      newTokens,
      ...(query && { query: query.to(device) }),
      ...(score.accumulates && { previous: tensor(previous, { shape: [1, Hkv, numStored], dtype, device }) }),
    });
    const fits = result.shape.join() === [1, Hkv, S].join();
    const numbers = Array.from(result.data, Number);
    if (!fits || numbers.some(Number.isNaN)) {
      checks("score").refuse({
        argument: "score",
        received: fits ? `NaN of ${score.name}` : `[${result.shape.join(", ")}] of ${score.name}`,
        expected: `scores [1, ${Hkv}, ${S}], one per key-value head and candidate`,
        fix: "return one score per candidate, those of the new tokens last.",
      });
    }
    return numbers;
  });
}

/** The heads of `[B, Hkv, …]` that use list number `list`: all heads if there is one list, else the head of that index. */
export function headsOfList(x: Tensor, list: number, lists: number): Tensor {
  return lists === 1 ? x : slice(x, 1, list, list + 1);
}

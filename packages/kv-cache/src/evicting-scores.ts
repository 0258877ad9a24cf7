import { checks } from "@qkv/core";
import type { EvictionScore } from "@qkv/attention-contract";
import { concat, slice, take, tensor, type Tensor } from "@qkv/tensor";
import type { Sequence } from "./evicting-sequence.js";

/** A token to choose: in a slot of the buffers, or the i-th of the new ones. */
export type Candidate = { readonly position: number; readonly slot?: number; readonly added?: number };

/** Tokens of one sequence, of which some are evicted. */
export type Choice = {
  /** In order of position, those that are stored first: one list for all key-value heads, or one for each. */
  readonly candidates: readonly (readonly Candidate[])[];
  readonly sequence: Sequence;
  /** Slots of a buffer. */
  readonly capacity: number;
  /** The slots of the sequence [1, Hkv, capacity, D], and its new tokens [1, Hkv, T, D]. */
  readonly key: { readonly held: Tensor; readonly added: Tensor };
  readonly value: { readonly held: Tensor; readonly added: Tensor };
  readonly query: Tensor | undefined;
};

/** The scores of the candidates, [Hkv, S] row-major. Refuses what is not a number for each. */
export function candidateScores(
  score: EvictionScore,
  { candidates, sequence, capacity, key, value, query }: Choice,
): number[] {
  const { device, dtype } = key.added;
  const [Hkv, newTokens] = [key.added.shape[1]!, key.added.shape[2]!];
  const S = candidates[0]!.length;
  const before = S - newTokens;
  const slots = candidates.map((own) => own.slice(0, before).map(({ slot }) => slot!));
  const rows = ({ held, added }: Choice["key"]) => {
    const stored = slots.map((own, list) =>
      take(
        headsOfList(held, list, slots.length),
        2,
        tensor(own, { dtype: "int32", shape: [before], device }),
      ),
    );
    return concat([concat(stored, 1), added], 2);
  };
  const previous = Float64Array.from({ length: Hkv * before }, (_, i) => {
    const [head, n] = [Math.floor(i / before), i % before];
    return sequence.scores[head * capacity + slots[slots.length === 1 ? 0 : head]![n]!]!;
  });
  const positions = candidates.map((own) => own.map(({ position }) => position));
  const alike = positions.every((own) => own.every((position, s) => position === positions[0]![s]));
  return device.scope(() => {
    const result = score.score({
      key: rows(key),
      value: rows(value),
      positions: Int32Array.from(alike ? positions[0]! : positions.flat()),
      newTokens,
      ...(query && { query: query.to(device) }),
      ...(score.accumulates && { previous: tensor(previous, { shape: [1, Hkv, before], dtype, device }) }),
    });
    const fits = result.shape.join() === [1, Hkv, S].join();
    const numbers = Array.from(result.data, Number);
    if (!fits || numbers.some(Number.isNaN)) {
      checks("score").refuse({
        argument: "score",
        received: fits ? `NaN of ${score.name}` : `[${result.shape.join(", ")}] of ${score.name}`,
        expected: `numbers [1, ${Hkv}, ${S}], one for each head and candidate`,
        fix: "return a number for each candidate, those of the new tokens last.",
      });
    }
    return numbers;
  });
}

/** The heads `[B, Hkv, …]` that share one of several lists of positions: all of them, or one. */
export function headsOfList(x: Tensor, list: number, lists: number): Tensor {
  return lists === 1 ? x : slice(x, 1, list, list + 1);
}

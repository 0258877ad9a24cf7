import { checks } from "@qkv/core";
import type { EvictionScore, KeyValues } from "@qkv/attention-contract";
import { concat, slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkQuery } from "./check-query.js";
import { emptyLike } from "./contiguous-store.js";
import { candidateScores, headsOfList, type Candidate } from "./evicting-scores.js";
import type { EvictingSizes, Sequence } from "./evicting-sequence.js";
import { keptTokens } from "./kept-tokens.js";
import type { KeyValueStore } from "./layer-store.js";
import { mergePositions } from "./positions.js";
import { restoredSequences, savedSequences } from "./saved-sequences.js";
import {
  allocatedBytes,
  exclusiveTensors,
  release,
  replace,
  retain,
  sharedTensors,
  type SharedTensors,
} from "./shared-tensors.js";

type State = { buffers: SharedTensors<"key" | "value"> | undefined; sequences: readonly Sequence[] };

/** Slots of one sequence: one list for all key-value heads, or one per head. */
type SlotLists = readonly (readonly number[])[];

/** Arguments of an update. */
type NewTokens = { readonly key: Tensor; readonly value: Tensor; readonly query: Tensor | undefined };

/**
 * Stores the tokens with the highest scores, in slots of the buffers `[B, Hkv, budget + room, D]`. The slots of a sequence are
 * in no particular order.
 */
export function evictingStore(
  sizes: EvictingSizes,
  score: EvictionScore,
  initial: State = { buffers: undefined, sequences: [] },
): KeyValueStore {
  const capacity = sizes.budget + sizes.room;
  let { buffers, sequences } = initial;

  /** All stored tokens, and free slots among them with position -1. */
  const read = (): KeyValues => {
    const lists = sequences.flatMap(({ positions }) => positions);
    const used = Math.max(0, ...lists.map((positions) => positions.findLastIndex((p) => p >= 0) + 1));
    const usedSlots = (x: Tensor) => slice(x, 2, 0, used);
    return {
      key: [usedSlots(buffers!.tensors.key)],
      value: [usedSlots(buffers!.tensors.value)],
      positions: mergePositions(lists.map((positions) => positions.slice(0, used))),
    };
  };
  /** Writes tokens `from[i]` of sequence b to `slots[i]`, in the heads that share a list of positions. */
  const writeSlots = (
    [b, list]: readonly [number, number],
    slots: readonly number[],
    from: readonly number[],
    key: Tensor,
    value: Tensor,
  ) => {
    const sides = [
      [buffers!.tensors.key, key],
      [buffers!.tensors.value, value],
    ] as const;
    for (const [to, rows] of sides) {
      const [stored, added] = [to, rows].map((x) =>
        headsOfList(slice(x, 0, b, b + 1), list, sequences[b]!.positions.length),
      ) as [Tensor, Tensor];
      // One write per run of tokens that are consecutive in both.
      for (let i = 0; i < slots.length;) {
        let end = i + 1;
        while (end < slots.length && slots[end] === slots[end - 1]! + 1 && from[end] === from[end - 1]! + 1)
          end++;
        write(stored, 2, slots[i]!, slice(added, 2, from[i]!, from[end - 1]! + 1));
        i = end;
      }
    }
  };
  /** Writes the new tokens to free slots, and returns all stored tokens. */
  const appendInPlace = (key: Tensor, value: Tensor, freeSlots: readonly SlotLists[]): KeyValues => {
    const T = key.shape[2]!;
    const newTokens = Array.from({ length: T }, (_, t) => t);
    sequences = sequences.map((sequence, b) => ({
      ...sequence,
      positions: sequence.positions.map((positions, list) =>
        withNewPositions(positions, freeSlots[b]![list]!, sequence.length, T),
      ),
    }));
    freeSlots.forEach((lists, b) => {
      lists.forEach((slots, list) => writeSlots([b, list], slots.slice(0, T), newTokens, key, value));
    });
    return read();
  };
  /** Returns the stored tokens followed by the new ones, which are not stored yet. */
  const storedAndNew = (key: Tensor, value: Tensor): KeyValues => {
    const T = key.shape[2]!;
    const stored = read();
    const storedLength = (stored.key[0] as Tensor).shape[2]!;
    const positions = sequences.flatMap((sequence) =>
      sequence.positions.map((list) => [
        ...list.slice(0, storedLength),
        ...Array.from({ length: T }, (_, t) => sequence.length + t),
      ]),
    );
    const segments = (storedSegments: KeyValues["key"], x: Tensor) =>
      storedLength === 0 ? [x] : [...storedSegments, x];
    // The returned views must not be overwritten by the tokens that are stored next: the buffers are copied first.
    if (storedLength > 0) buffers = exclusiveTensors(retain(buffers!));
    return {
      key: segments(stored.key, key),
      value: segments(stored.value, value),
      positions: mergePositions(positions),
    };
  };
  /**
   * Returns sequence b after the new tokens: scores all candidates, evicts those beyond the budget, and stores the new tokens
   * that are retained.
   *
   * @param freeSlots - The slots to which the new tokens were appended in place. Undefined: they are not stored yet.
   */
  const evict = (
    sequence: Sequence,
    b: number,
    { key, value, query }: NewTokens,
    freeSlots: SlotLists | undefined,
  ): Sequence => {
    const [Hkv, T] = [key.shape[1]!, key.shape[2]!];
    const length = sequence.length + T;
    const queries =
      score.queryWindow > 0 ? appendQueries(sequence.query, slice(query!, 0, b, b + 1)) : undefined;
    const candidates = sequence.positions.map((positions) => candidateTokens(positions, sequence.length, T));
    const S = candidates[0]!.length;
    const evicts = S > sizes.budget;
    const ofSequence = (stored: Tensor, added: Tensor) => ({
      stored: slice(stored, 0, b, b + 1),
      added: slice(added, 0, b, b + 1),
    });
    const scores =
      evicts || score.accumulates
        ? candidateScores(score, {
            ...{ candidates, sequence, capacity, query: queries },
            key: ofSequence(buffers!.tensors.key, key),
            value: ofSequence(buffers!.tensors.value, value),
          })
        : [];
    const headsPerList = Hkv / candidates.length;
    const lists = candidates.map((tokens, list) => {
      const listScores = scores.slice(list * headsPerList * S, (list + 1) * headsPerList * S);
      const retained = evicts
        ? keptTokens(
            tokens.map(({ position }) => position),
            listScores,
            length,
            sizes,
          )
        : [...tokens.keys()];
      const slots = assignSlots(tokens, retained, capacity, freeSlots?.[list]);
      const positions = new Array<number>(capacity).fill(-1);
      const accumulated = score.accumulates ? new Array<number>(headsPerList * capacity).fill(0) : [];
      retained.forEach((i, n) => {
        const slot = slots[n]!;
        positions[slot] = tokens[i]!.position;
        if (score.accumulates)
          for (let h = 0; h < headsPerList; h++) accumulated[h * capacity + slot] = listScores[h * S + i]!;
      });
      if (!freeSlots) {
        const newSlots = slots.filter((_, n) => tokens[retained[n]!]!.added !== undefined);
        const newTokens = retained.flatMap((i) => tokens[i]!.added ?? []);
        writeSlots([b, list], newSlots, newTokens, key, value);
      }
      return { positions, scores: accumulated };
    });
    const window = queries && slice(queries, 2, Math.max(0, queries.shape[2]! - score.queryWindow));
    return {
      length,
      positions: lists.map(({ positions }) => positions),
      scores: lists.flatMap(({ scores }) => scores),
      evictedAt: evicts ? length : sequence.evictedAt,
      query: window && copied(window),
    };
  };

  return {
    get device() {
      return buffers?.tensors.key.device;
    },
    get current() {
      return buffers && { ...buffers.tensors, batches: sequences.length };
    },
    get lengths() {
      return sequences.map(({ length }) => length);
    },
    get stored() {
      return Math.max(0, ...sequences.map(({ positions }) => positions[0]!.filter((p) => p >= 0).length));
    },
    get bytes() {
      const memoryOfScores = sequences.reduce(
        (sum, { scores, query }) => sum + 8 * scores.length + (query?.data.byteLength ?? 0),
        0,
      );
      return allocatedBytes(buffers) + memoryOfScores;
    },
    append(key, value, query) {
      const [B, Hkv, T] = key.shape as [number, number, number];
      checkQuery(score, key, query);
      if (!buffers) {
        buffers = sharedTensors({ key: emptyLike(key, capacity), value: emptyLike(value, capacity) });
        sequences = Array.from({ length: B }, (): Sequence => ({
          ...{ length: 0, evictedAt: 0, query: undefined },
          positions: Array.from({ length: sizes.keptPer === "head" ? Hkv : 1 }, () =>
            new Array<number>(capacity).fill(-1),
          ),
          scores: score.accumulates ? new Array<number>(Hkv * capacity).fill(0) : [],
        }));
      }
      buffers = exclusiveTensors(buffers, key.device);
      if (T === 0) return read();
      const before = sequences;
      const freeSlots = before.map(({ positions }) =>
        positions.map((list) => [...list.keys()].filter((slot) => list[slot]! < 0)),
      );
      const fits = freeSlots.flat().every((slots) => slots.length >= T);
      const visible = fits ? appendInPlace(key, value, freeSlots) : storedAndNew(key, value);
      sequences = before.map((sequence, b) =>
        evict(sequence, b, { key, value, query }, fits ? freeSlots[b] : undefined),
      );
      return visible;
    },
    read,
    checkCrop(newLengths) {
      newLengths.forEach((n, b) => {
        const { length, evictedAt } = sequences[b]!;
        if (n === length || n === 0) return;
        const remembers = score.queryWindow > 0 || score.accumulates;
        if (n >= evictedAt && !remembers) return;
        checks("crop").refuse({
          argument: "length",
          received: n,
          expected: remembers
            ? `${length}, or 0: the scores of ${score.name} remember the queries of the last tokens, by which others were evicted`
            : `${evictedAt} or more, or 0: at that length tokens were evicted`,
          fix: "`fork()` the cache at each length to which it may have to be cropped.",
        });
      });
    },
    crop(newLengths) {
      sequences = sequences.map((sequence, b) => {
        const length = newLengths[b]!;
        if (length === sequence.length) return sequence;
        const positions = sequence.positions.map((list) => list.map((p) => (p < length ? p : -1)));
        if (length > 0) return { ...sequence, length, positions };
        const scores = sequence.scores.map(() => 0);
        return { ...sequence, length, positions, evictedAt: 0, scores, query: undefined };
      });
    },
    fork: () => evictingStore(sizes, score, { buffers: retain(buffers), sequences }),
    selectBatches(ids) {
      if (!buffers) return;
      const indices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      buffers = replace(buffers, (x) => take(x, 0, indices.to(x.device)));
      sequences = ids.map((id) => sequences[id]!);
    },
    clear() {
      release(buffers);
      [buffers, sequences] = [undefined, []];
    },
    save: () => buffers && savedSequences(buffers.tensors, sequences, sizes, score),
    fromSaved(saved) {
      const restored = restoredSequences(saved, sizes, score, buffers?.tensors);
      const { key, value } = saved.tensors as { key: Tensor; value: Tensor };
      return evictingStore(sizes, score, { buffers: sharedTensors({ key, value }), sequences: restored });
    },
  };
}

/** The positions in the slots after `T` new tokens were written to the first free slots. */
function withNewPositions(
  positions: readonly number[],
  freeSlots: readonly number[],
  length: number,
  T: number,
): number[] {
  const after = [...positions];
  freeSlots.slice(0, T).forEach((slot, t) => (after[slot] = length + t));
  return after;
}

/** The stored tokens in order of position, then the `T` new ones. `length`: length of the sequence without the new tokens. */
function candidateTokens(positions: readonly number[], length: number, T: number): Candidate[] {
  const stored = [...positions.keys()]
    .filter((slot) => positions[slot]! >= 0)
    .map((slot) => ({ slot, position: positions[slot]! }));
  return [
    ...stored.sort((a, b) => a.position - b.position),
    ...Array.from({ length: T }, (_, t) => ({ added: t, position: length + t })),
  ];
}

/**
 * The slot of each retained candidate. Stored tokens stay in their slots. New tokens are in `appended` if they were appended
 * in place, else they get the slots that no retained token uses.
 */
function assignSlots(
  candidates: readonly Candidate[],
  retained: readonly number[],
  capacity: number,
  appended: readonly number[] | undefined,
): number[] {
  const used = new Set(retained.map((i) => candidates[i]!.slot));
  const unused = Array.from({ length: capacity }, (_, slot) => slot).filter((slot) => !used.has(slot));
  let next = 0;
  return retained.map((i) => {
    const { slot, added } = candidates[i]!;
    if (slot !== undefined) return slot;
    return appended ? appended[added!]! : unused[next++]!;
  });
}

/** Queries of earlier tokens followed by those of the new ones, on the device of the new ones. */
function appendQueries(stored: Tensor | undefined, added: Tensor): Tensor {
  return stored ? concat([stored.to(added.device), added], 2) : added;
}

/** A copy on the plain device, which no scope frees. */
function copied(x: Tensor): Tensor {
  return tensor(x.data.slice(), { shape: x.shape });
}

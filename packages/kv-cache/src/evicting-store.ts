import { checks } from "@qkv/core";
import type { EvictionScore, KeyValues } from "@qkv/attention-contract";
import { concat, slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkQuery } from "./check-query.js";
import { emptyLike } from "./contiguous-store.js";
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

/** A token to choose: in a slot of the buffers, or the i-th of the new ones. */
type Candidate = { readonly position: number; readonly slot?: number; readonly added?: number };

/** Keeps the tokens with the highest scores, in any order in buffers `[B, Hkv, budget + room, D]`. */
export function evictingStore(
  sizes: EvictingSizes,
  score: EvictionScore,
  initial: State = { buffers: undefined, sequences: [] },
): KeyValueStore {
  const capacity = sizes.budget + sizes.room;
  let { buffers, sequences } = initial;

  const read = (): KeyValues => {
    const used = Math.max(0, ...sequences.map(({ positions }) => positions.findLastIndex((p) => p >= 0) + 1));
    const part = (x: Tensor) => slice(x, 2, 0, used);
    const positions = mergePositions(sequences.map((one) => one.positions.slice(0, used)));
    return { key: [part(buffers!.tensors.key)], value: [part(buffers!.tensors.value)], positions };
  };
  /** Writes tokens of a batch into slots. */
  const writeSlots = (
    b: number,
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
      const [own, added] = [slice(to, 0, b, b + 1), slice(rows, 0, b, b + 1)];
      for (let i = 0; i < slots.length;) {
        let end = i + 1;
        while (end < slots.length && slots[end] === slots[end - 1]! + 1 && from[end] === from[end - 1]! + 1)
          end++;
        write(own, 2, slots[i]!, slice(added, 2, from[i]!, from[end - 1]! + 1));
        i = end;
      }
    }
  };
  /** The scores of the candidates of a batch, [Hkv, S]. */
  const scored = (
    b: number,
    candidates: readonly Candidate[],
    key: Tensor,
    value: Tensor,
    query: Tensor | undefined,
  ) => {
    const { device } = key;
    const { scores } = sequences[b]!;
    const stored = candidates.filter(({ slot }) => slot !== undefined).map(({ slot }) => slot!);
    const indices = tensor(stored, { dtype: "int32", shape: [stored.length], device });
    const newTokens = candidates.length - stored.length;
    const [Hkv, S] = [key.shape[1]!, candidates.length];
    return device.scope(() => {
      const rows = (held: Tensor, added: Tensor) =>
        concat([take(slice(held, 0, b, b + 1), 2, indices), slice(added, 0, b, b + 1)], 2);
      const previous = Float64Array.from(
        { length: Hkv * stored.length },
        (_, i) => scores[Math.floor(i / stored.length) * capacity + stored[i % stored.length]!]!,
      );
      const result = score.score({
        key: rows(buffers!.tensors.key, key),
        value: rows(buffers!.tensors.value, value),
        positions: Int32Array.from(candidates, ({ position }) => position),
        newTokens,
        ...(query && { query: query.to(device) }),
        ...(score.accumulates && {
          previous: tensor(previous, { shape: [1, Hkv, stored.length], dtype: key.dtype, device }),
        }),
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
      return Math.max(0, ...sequences.map(({ positions }) => positions.filter((p) => p >= 0).length));
    },
    get bytes() {
      const remembered = sequences.reduce(
        (sum, { scores, query }) => sum + 8 * scores.length + (query?.data.byteLength ?? 0),
        0,
      );
      return allocatedBytes(buffers) + remembered;
    },
    append(key, value, query) {
      const [B, Hkv, T] = key.shape as [number, number, number];
      checkQuery(score, key, query);
      if (!buffers) {
        buffers = sharedTensors({ key: emptyLike(key, capacity), value: emptyLike(value, capacity) });
        sequences = Array.from({ length: B }, (): Sequence => ({
          ...{ length: 0, evictedAt: 0, query: undefined },
          positions: new Array<number>(capacity).fill(-1),
          scores: score.accumulates ? new Array<number>(Hkv * capacity).fill(0) : [],
        }));
      }
      buffers = exclusiveTensors(buffers, key.device);
      if (T === 0) return read();
      const free = ({ positions }: Sequence) => [...positions.keys()].filter((slot) => positions[slot]! < 0);
      const before = sequences;
      const inPlace = before.every((one) => free(one).length >= T);
      let seen: KeyValues;
      const added = Array.from({ length: T }, (_, t) => t);
      const places = before.map((one) => (inPlace ? free(one).slice(0, T) : []));
      if (inPlace) {
        sequences = before.map((one, b) => ({ ...one, positions: placed(one, places[b]!, added) }));
        places.forEach((slots, b) => writeSlots(b, slots, added, key, value));
        seen = read();
      } else {
        const past = read();
        const count = past.key[0] as Tensor;
        const rows = before.map(({ positions, length }) => [
          ...positions.slice(0, count.shape[2]),
          ...added.map((t) => length + t),
        ]);
        const parts = (held: KeyValues["key"], x: Tensor) => (count.shape[2] === 0 ? [x] : [...held, x]);
        seen = {
          key: parts(past.key, key),
          value: parts(past.value, value),
          positions: mergePositions(rows),
        };
        // Views that are returned must not be overwritten.
        if (count.shape[2]! > 0) buffers = exclusiveTensors(retain(buffers));
      }
      sequences = before.map((one, b) => {
        const length = one.length + T;
        const remembered =
          score.queryWindow > 0 ? lastQueries(one.query, slice(query!, 0, b, b + 1)) : undefined;
        const held: Candidate[] = [...one.positions.keys()]
          .filter((slot) => one.positions[slot]! >= 0)
          .map((slot) => ({ slot, position: one.positions[slot]! }))
          .sort((a, b) => a.position - b.position);
        const all: Candidate[] = [...held, ...added.map((t) => ({ added: t, position: one.length + t }))];
        const evicts = all.length > sizes.budget;
        const scores = evicts || score.accumulates ? scored(b, all, key, value, remembered) : [];
        const kept = evicts
          ? keptTokens(
              all.map(({ position }) => position),
              scores,
              length,
              sizes,
            )
          : [...all.keys()];
        // The kept ones of the new tokens go to the slots where they are, or to free ones.
        const staying = new Set(kept.map((i) => all[i]!.slot));
        const open = inPlace
          ? places[b]!
          : [...one.positions.keys()].filter((slot) => !staying.has(slot)).slice(0, capacity);
        const slotOf = new Map<number, number>();
        let next = 0;
        for (const i of kept) {
          const { slot, added: t } = all[i]!;
          slotOf.set(i, slot ?? (inPlace ? open[t!]! : open[next++]!));
        }
        const positions = new Array<number>(capacity).fill(-1);
        const accumulated = score.accumulates ? new Array<number>(Hkv * capacity).fill(0) : [];
        for (const [i, slot] of slotOf) {
          positions[slot] = all[i]!.position;
          if (score.accumulates)
            for (let h = 0; h < Hkv; h++) accumulated[h * capacity + slot] = scores[h * all.length + i]!;
        }
        if (!inPlace) {
          const fresh = kept.filter((i) => all[i]!.added !== undefined);
          writeSlots(
            b,
            fresh.map((i) => slotOf.get(i)!),
            fresh.map((i) => all[i]!.added!),
            key,
            value,
          );
        }
        const window =
          remembered && slice(remembered, 2, Math.max(0, remembered.shape[2]! - score.queryWindow));
        return {
          ...{ length, positions, scores: accumulated },
          evictedAt: evicts ? length : one.evictedAt,
          query: window && copied(window),
        };
      });
      return seen;
    },
    read,
    checkCrop(kept) {
      kept.forEach((n, b) => {
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
          fix: "`fork()` the cache at the place to which it may have to go back.",
        });
      });
    },
    crop(kept) {
      sequences = sequences.map((one, b) => {
        const length = kept[b]!;
        if (length === one.length) return one;
        const positions = one.positions.map((p) => (p < length ? p : -1));
        if (length > 0) return { ...one, length, positions };
        return { ...one, length, positions, evictedAt: 0, scores: one.scores.map(() => 0), query: undefined };
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

/** Positions of a sequence after new tokens were written into slots. */
function placed(
  { positions, length }: Sequence,
  slots: readonly number[],
  added: readonly number[],
): number[] {
  const after = [...positions];
  slots.forEach((slot, i) => (after[slot] = length + added[i]!));
  return after;
}

/** Queries of earlier tokens and of new ones, on the device of the new ones. */
function lastQueries(held: Tensor | undefined, added: Tensor): Tensor {
  return held ? concat([held.to(added.device), added], 2) : added;
}

/** A copy on the plain device, which no scope frees. */
function copied(x: Tensor): Tensor {
  return tensor(x.data.slice(), { shape: x.shape });
}

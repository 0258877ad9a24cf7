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

/** Keeps the tokens with the highest scores, in any order in buffers `[B, Hkv, budget + room, D]`. */
export function evictingStore(
  sizes: EvictingSizes,
  score: EvictionScore,
  initial: State = { buffers: undefined, sequences: [] },
): KeyValueStore {
  const capacity = sizes.budget + sizes.room;
  let { buffers, sequences } = initial;

  const read = (): KeyValues => {
    const lists = sequences.flatMap(({ positions }) => positions);
    const used = Math.max(0, ...lists.map((own) => own.findLastIndex((p) => p >= 0) + 1));
    const part = (x: Tensor) => slice(x, 2, 0, used);
    const positions = mergePositions(lists.map((own) => own.slice(0, used)));
    return { key: [part(buffers!.tensors.key)], value: [part(buffers!.tensors.value)], positions };
  };
  /** Writes tokens of a batch into slots of the heads that share a list of positions. */
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
      const [own, added] = [to, rows].map((x) =>
        headsOfList(slice(x, 0, b, b + 1), list, sequences[b]!.positions.length),
      ) as [Tensor, Tensor];
      for (let i = 0; i < slots.length;) {
        let end = i + 1;
        while (end < slots.length && slots[end] === slots[end - 1]! + 1 && from[end] === from[end - 1]! + 1)
          end++;
        write(own, 2, slots[i]!, slice(added, 2, from[i]!, from[end - 1]! + 1));
        i = end;
      }
    }
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
          positions: Array.from({ length: sizes.keptPer === "head" ? Hkv : 1 }, () =>
            new Array<number>(capacity).fill(-1),
          ),
          scores: score.accumulates ? new Array<number>(Hkv * capacity).fill(0) : [],
        }));
      }
      buffers = exclusiveTensors(buffers, key.device);
      if (T === 0) return read();
      const before = sequences;
      const free = before.map(({ positions }) =>
        positions.map((own) => [...own.keys()].filter((slot) => own[slot]! < 0)),
      );
      const inPlace = free.flat().every((slots) => slots.length >= T);
      let seen: KeyValues;
      const added = Array.from({ length: T }, (_, t) => t);
      if (inPlace) {
        sequences = before.map((one, b) => ({
          ...one,
          positions: one.positions.map((own, list) => placed(own, free[b]![list]!, one.length, T)),
        }));
        free.forEach((lists, b) => {
          lists.forEach((slots, list) => {
            writeSlots([b, list], slots.slice(0, T), added, key, value);
          });
        });
        seen = read();
      } else {
        const past = read();
        const count = past.key[0] as Tensor;
        const rows = before.flatMap(({ positions, length }) =>
          positions.map((own) => [...own.slice(0, count.shape[2]), ...added.map((t) => length + t)]),
        );
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
        const candidates = one.positions.map((own): Candidate[] => {
          const held = [...own.keys()].filter((slot) => own[slot]! >= 0);
          return [
            ...held.map((slot) => ({ slot, position: own[slot]! })).sort((a, b) => a.position - b.position),
            ...added.map((t) => ({ added: t, position: one.length + t })),
          ];
        });
        const S = candidates[0]!.length;
        const evicts = S > sizes.budget;
        const ofBatch = (held: Tensor, added: Tensor) => ({
          held: slice(held, 0, b, b + 1),
          added: slice(added, 0, b, b + 1),
        });
        const scores =
          evicts || score.accumulates
            ? candidateScores(score, {
                ...{ candidates, sequence: one, capacity, query: remembered },
                key: ofBatch(buffers!.tensors.key, key),
                value: ofBatch(buffers!.tensors.value, value),
              })
            : [];
        const heads = Hkv / candidates.length;
        const lists = candidates.map((all, list) => {
          const own = scores.slice(list * heads * S, (list + 1) * heads * S);
          const kept = evicts
            ? keptTokens(
                all.map(({ position }) => position),
                own,
                length,
                sizes,
              )
            : [...all.keys()];
          // The kept ones of the new tokens go to the slots where they are, or to free ones.
          const staying = new Set(kept.map((i) => all[i]!.slot));
          const open = inPlace
            ? free[b]![list]!
            : [...one.positions[list]!.keys()].filter((slot) => !staying.has(slot));
          const slotOf = new Map<number, number>();
          let next = 0;
          for (const i of kept) {
            const { slot, added: t } = all[i]!;
            slotOf.set(i, slot ?? (inPlace ? open[t!]! : open[next++]!));
          }
          const positions = new Array<number>(capacity).fill(-1);
          const accumulated = score.accumulates ? new Array<number>(heads * capacity).fill(0) : [];
          for (const [i, slot] of slotOf) {
            positions[slot] = all[i]!.position;
            if (score.accumulates)
              for (let h = 0; h < heads; h++) accumulated[h * capacity + slot] = own[h * S + i]!;
          }
          if (!inPlace) {
            const fresh = kept.filter((i) => all[i]!.added !== undefined);
            writeSlots(
              [b, list],
              fresh.map((i) => slotOf.get(i)!),
              fresh.map((i) => all[i]!.added!),
              key,
              value,
            );
          }
          return { positions, scores: accumulated };
        });
        const window =
          remembered && slice(remembered, 2, Math.max(0, remembered.shape[2]! - score.queryWindow));
        return {
          length,
          positions: lists.map(({ positions }) => positions),
          scores: lists.flatMap(({ scores }) => scores),
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
        const positions = one.positions.map((own) => own.map((p) => (p < length ? p : -1)));
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

/** Positions after `T` new tokens were written into the first of the free slots. */
function placed(positions: readonly number[], free: readonly number[], length: number, T: number): number[] {
  const after = [...positions];
  free.slice(0, T).forEach((slot, t) => (after[slot] = length + t));
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

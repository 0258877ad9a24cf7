import { checks } from "@qkv/core";
import type { KeyValues } from "@qkv/attention-contract";
import { slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSaved } from "./check-saved.js";
import { emptyLike } from "./contiguous-store.js";
import type { LayerStore } from "./layer-store.js";
import { even, joinPositions } from "./positions.js";
import {
  bytesOf,
  letGo,
  ownTensors,
  replace,
  share,
  sharedTensors,
  type SharedTensors,
} from "./shared-tensors.js";

/** `window`: keys that a query sees, itself included. `first`: tokens kept for ever. `room`: tokens beyond. */
export type RollingSizes = { readonly window: number; readonly first: number; readonly room: number };

type State = {
  buffers: SharedTensors<"key" | "value"> | undefined;
  lengths: readonly number[];
  /** The first position of each batch, after those kept for ever, that still stands in the ring. */
  oldest: readonly number[];
};

/** Positions `from … to - 1` that lie one after the other in a buffer, from `slot` on. */
type Run = { slot: number; from: number; to: number };

/**
 * The last tokens in a ring: position p stands in slot `first + (p - first) % ring`, the first ones in front of it.
 * Buffers are `[B, Hkv, first + ring, D]`.
 */
export function rollingStore(
  sizes: RollingSizes,
  initial: State = { buffers: undefined, lengths: [], oldest: [] },
): LayerStore {
  const { window, first, room } = sizes;
  const ring = window - 1 + room;
  let { buffers, lengths, oldest } = initial;

  /** Stretches of positions as they lie in the buffers. */
  const runs = (from: number, to: number): Run[] => {
    const list: Run[] = [];
    for (let p = from; p < to;) {
      const inFront = p < first;
      const slot = inFront ? p : first + ((p - first) % ring);
      const end = Math.min(to, inFront ? first : p + first + ring - slot);
      list.push({ slot, from: p, to: end });
      p = end;
    }
    return list;
  };
  /** What queries from position n on may see of the tokens before `to`: those kept, and the window. */
  const seenRuns = (n: number, to: number): Run[] => [
    ...runs(0, Math.min(first, to)),
    ...runs(Math.min(to, Math.max(first, n - window + 1)), to),
  ];
  const positionsOf = (list: readonly Run[]) =>
    list.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));

  /** What a read gives of the buffers: parts, and where their keys stand, for each batch. */
  const readBuffers = (starts: readonly number[], ends: readonly number[]) => {
    const { key, value } = buffers!.tensors;
    if (even(starts) && even(ends)) {
      const found = seenRuns(starts[0]!, ends[0]!);
      const list = found.length > 0 ? found : [{ slot: 0, from: 0, to: 0 }]; // no keys are one empty part
      const parts = (x: Tensor) => list.map(({ slot, from, to }) => slice(x, 2, slot, slot + to - from));
      return { key: parts(key), value: parts(value), rows: starts.map(() => positionsOf(list)) };
    }
    const rows = starts.map((start, b) => {
      const row = new Array<number>(first + ring).fill(-1);
      for (const { slot, from, to } of seenRuns(start, ends[b]!)) {
        for (let p = from; p < to; p++) row[slot + p - from] = p;
      }
      return row;
    });
    return { key: [key], value: [value], rows };
  };
  /** Writes the tokens of rows that stay, those of batch b from position `starts[b]` on. */
  const writeRows = (starts: readonly number[], key: Tensor, value: Tensor): void => {
    const T = key.shape[2]!;
    const into = (start: number, b: number | undefined) => {
      const stay = [
        ...runs(start, Math.min(first, start + T)),
        ...runs(Math.max(start, first, start + T - ring), start + T),
      ];
      const own = (x: Tensor) => (b === undefined ? x : slice(x, 0, b, b + 1));
      for (const { slot, from, to } of stay) {
        write(own(buffers!.tensors.key), 2, slot, slice(own(key), 2, from - start, to - start));
        write(own(buffers!.tensors.value), 2, slot, slice(own(value), 2, from - start, to - start));
      }
    };
    if (even(starts)) into(starts[0] ?? 0, undefined);
    else starts.forEach(into);
  };

  return {
    get held() {
      return buffers && { ...buffers.tensors, batches: lengths.length };
    },
    get lengths() {
      return lengths;
    },
    get stored() {
      return Math.max(0, ...lengths.map((n, b) => Math.min(first, n) + Math.max(0, n - oldest[b]!)));
    },
    get bytes() {
      return bytesOf(buffers);
    },
    append(key, value) {
      const [B, , T] = key.shape as [number, number, number];
      const starts = buffers ? lengths : new Array<number>(B).fill(0);
      const ends = starts.map((n) => n + T);
      buffers = buffers
        ? ownTensors(buffers, key.device)
        : sharedTensors({ key: emptyLike(key, first + ring), value: emptyLike(value, first + ring) });
      lengths = starts; // a write may fail: buffers without tokens are those of as many batches
      oldest = starts.map((_, b) => oldest[b] ?? first);
      const advance = () => {
        // First, since a write may fail when it has overwritten some.
        oldest = ends.map((n, b) => Math.max(oldest[b]!, n - ring, first));
        writeRows(starts, key, value);
        lengths = ends;
      };
      // All that the new queries see must stand in the ring at once; else the new tokens are read from where they are.
      const fits = starts.every((n) => n + T - Math.max(first, n - window + 1) <= ring);
      if (fits) {
        advance();
        const { rows, ...parts } = readBuffers(starts, ends);
        return { ...parts, positions: joinPositions(rows) };
      }
      const past = readBuffers(starts, starts);
      // What was just read must not be written over.
      if (starts.some((n) => n > 0)) buffers = ownTensors(share(buffers));
      advance();
      const rows = past.rows.map((row, b) => [
        ...row,
        ...Array.from({ length: T }, (_, t) => starts[b]! + t),
      ]);
      return {
        key: [...past.key, key],
        value: [...past.value, value],
        positions: joinPositions(rows),
      } satisfies KeyValues;
    },
    read() {
      const { rows, ...parts } = readBuffers(lengths, lengths);
      return { ...parts, positions: joinPositions(rows) };
    },
    checkCrop(kept) {
      kept.forEach((n, b) => {
        const needed = Math.max(first, n - window + 1);
        if (needed >= n || oldest[b]! <= needed) return;
        checks("crop").refuse({
          argument: "length",
          received: n,
          expected: `${oldest[b]! + window - 1} or more, or at most keepFirst = ${first}: what stands before was forgotten`,
          fix: "make the cache with `room` for the tokens that may be dropped, or reset it.",
        });
      });
    },
    crop(kept) {
      lengths = kept;
      oldest = oldest.map((p, b) => Math.min(p, Math.max(first, kept[b]!)));
    },
    fork: () => rollingStore(sizes, { buffers: share(buffers), lengths, oldest }),
    take(ids) {
      if (!buffers) return;
      const indices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      buffers = replace(buffers, (x) => take(x, 0, indices.to(x.device)));
      lengths = ids.map((id) => lengths[id]!);
      oldest = ids.map((id) => oldest[id]!);
    },
    clear() {
      letGo(buffers);
      buffers = undefined;
      lengths = [];
      oldest = [];
    },
    save: () => buffers && { tensors: buffers.tensors, numbers: { lengths, oldest } },
    restored(saved) {
      const { tensors, numbers } = saved;
      checkSaved(saved, {
        own: buffers?.tensors,
        tokens: first + ring,
        lists: ["lengths", "oldest"],
        holds: (batch) => batch("oldest") >= first && batch("lengths") - batch("oldest") <= ring,
      });
      return rollingStore(sizes, {
        buffers: sharedTensors({ key: tensors["key"]!, value: tensors["value"]! }),
        lengths: numbers["lengths"]!,
        oldest: numbers["oldest"]!,
      });
    },
  };
}

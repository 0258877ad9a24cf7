import { checks } from "@qkv/core";
import type { KeyValues } from "@qkv/attention-contract";
import { slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSaved } from "./check-saved.js";
import { emptyLike } from "./contiguous-store.js";
import type { KeyValueStore } from "./layer-store.js";
import { allEqual, mergePositions } from "./positions.js";
import { tokenType, type RowLayout } from "./row-layout.js";
import {
  allocatedBytes,
  release,
  exclusiveTensors,
  replace,
  retain,
  sharedTensors,
  type SharedTensors,
} from "./shared-tensors.js";

/**
 * Sizes in tokens. `window`: keys that a query sees, itself included. `first`: first tokens, which are never evicted (attention
 * sinks). `room`: tokens that the ring holds beyond the window.
 */
export type RollingSizes = { readonly window: number; readonly first: number; readonly room: number };

type State = {
  buffers: SharedTensors<"key" | "value"> | undefined;
  lengths: readonly number[];
  /** Oldest position that is still in the ring, per sequence. */
  oldest: readonly number[];
};

/** Positions `from … to - 1`, stored in consecutive slots of the buffer from `slot` on. */
type RingSpan = { slot: number; from: number; to: number };

/**
 * Stores the first tokens in slots `0 … first - 1` and the last ones in a ring buffer after them: position p is in slot
 * `first + (p - first) % ring`. Buffers are `[B, Hkv, first + ring, D]`.
 */
export function rollingStore(
  sizes: RollingSizes,
  layout: RowLayout,
  initial: State = { buffers: undefined, lengths: [], oldest: [] },
): KeyValueStore {
  const { window, first, room } = sizes;
  const ring = window - 1 + room;
  let { buffers, lengths, oldest } = initial;

  /** Divides positions `from … to - 1` into spans of consecutive slots. */
  const ringSpans = (from: number, to: number): RingSpan[] => {
    const list: RingSpan[] = [];
    for (let p = from; p < to;) {
      const isFirst = p < first;
      const slot = isFirst ? p : first + ((p - first) % ring);
      const end = Math.min(to, isFirst ? first : p + first + ring - slot);
      list.push({ slot, from: p, to: end });
      p = end;
    }
    return list;
  };
  /** Spans of the positions below `to` that queries from position n on can see: the first tokens, and the window. */
  const visibleSpans = (n: number, to: number): RingSpan[] => [
    ...ringSpans(0, Math.min(first, to)),
    ...ringSpans(Math.min(to, Math.max(first, n - window + 1)), to),
  ];
  const spanPositions = (list: readonly RingSpan[]) =>
    list.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));

  /** Stored keys and values as segments, and `rows`: the positions of the keys of each sequence. */
  const readBuffers = (starts: readonly number[], ends: readonly number[]) => {
    const { key, value } = buffers!.tensors;
    if (allEqual(starts) && allEqual(ends)) {
      const spans = visibleSpans(starts[0]!, ends[0]!);
      const list = spans.length > 0 ? spans : [{ slot: 0, from: 0, to: 0 }]; // one empty segment if there are no keys
      const parts = (x: Tensor) => list.map(({ slot, from, to }) => slice(x, 2, slot, slot + to - from));
      return { key: parts(key), value: parts(value), rows: starts.map(() => spanPositions(list)) };
    }
    const rows = starts.map((start, b) => {
      const row = new Array<number>(first + ring).fill(-1);
      for (const { slot, from, to } of visibleSpans(start, ends[b]!)) {
        for (let p = from; p < to; p++) row[slot + p - from] = p;
      }
      return row;
    });
    return { key: [key], value: [value], rows };
  };
  /** Writes the new tokens that the ring retains: those of sequence b have the positions from `starts[b]` on. */
  const writeRows = (starts: readonly number[], key: Tensor, value: Tensor): void => {
    const T = key.shape[2]!;
    /** Writes the tokens of sequence b, or of all sequences if b is undefined. */
    const writeFrom = (start: number, b: number | undefined) => {
      const retained = [
        ...ringSpans(start, Math.min(first, start + T)),
        ...ringSpans(Math.max(start, first, start + T - ring), start + T),
      ];
      const ofSequence = (x: Tensor) => (b === undefined ? x : slice(x, 0, b, b + 1));
      for (const { slot, from, to } of retained) {
        const tokens = (x: Tensor) => slice(ofSequence(x), 2, from - start, to - start);
        write(ofSequence(buffers!.tensors.key), 2, slot, tokens(key));
        write(ofSequence(buffers!.tensors.value), 2, slot, tokens(value));
      }
    };
    if (allEqual(starts)) writeFrom(starts[0] ?? 0, undefined);
    else starts.forEach(writeFrom);
  };

  return {
    get device() {
      return buffers?.tensors.key.device;
    },
    get current() {
      return buffers && { ...buffers.tensors, batches: lengths.length, ...tokenType(layout) };
    },
    get lengths() {
      return lengths;
    },
    get stored() {
      return Math.max(0, ...lengths.map((n, b) => Math.min(first, n) + Math.max(0, n - oldest[b]!)));
    },
    get bytes() {
      return allocatedBytes(buffers);
    },
    append(newKey, newValue) {
      // Converted as for storage (rounded to 16 bits), so that reading from the ring or from these tensors gives the same.
      const { key, value } = layout.views(layout.rows(newKey, newValue));
      const [B, , T] = key.shape as [number, number, number];
      const starts = buffers ? lengths : new Array<number>(B).fill(0);
      const ends = starts.map((n) => n + T);
      buffers = buffers
        ? exclusiveTensors(buffers, key.device)
        : sharedTensors({ key: emptyLike(key, first + ring), value: emptyLike(value, first + ring) });
      lengths = starts; // set before the writes, which may fail: there must be a length per sequence as soon as buffers exist
      oldest = starts.map((_, b) => oldest[b] ?? first);
      const advance = () => {
        // Set before the write, which may overwrite old tokens and then fail.
        oldest = ends.map((n, b) => Math.max(oldest[b]!, n - ring, first));
        writeRows(starts, key, value);
        lengths = ends;
      };
      // If the ring cannot hold all keys that the new queries see, the new keys are read from their own tensors instead.
      const fits = starts.every((n) => n + T - Math.max(first, n - window + 1) <= ring);
      if (fits) {
        advance();
        const { rows, ...parts } = readBuffers(starts, ends);
        return { ...parts, positions: mergePositions(rows) };
      }
      const past = readBuffers(starts, starts);
      // The views in `past` are returned below, and must not be overwritten: the buffers are copied first.
      if (starts.some((n) => n > 0)) buffers = exclusiveTensors(retain(buffers));
      advance();
      const rows = past.rows.map((row, b) => [
        ...row,
        ...Array.from({ length: T }, (_, t) => starts[b]! + t),
      ]);
      return {
        key: [...past.key, key],
        value: [...past.value, value],
        positions: mergePositions(rows),
      } satisfies KeyValues;
    },
    read() {
      const { rows, ...parts } = readBuffers(lengths, lengths);
      return { ...parts, positions: mergePositions(rows) };
    },
    checkCrop(newLengths) {
      newLengths.forEach((n, b) => {
        const needed = Math.max(first, n - window + 1);
        if (needed >= n || oldest[b]! <= needed) return;
        checks("crop").refuse({
          argument: "length",
          received: n,
          expected: `${oldest[b]! + window - 1} or more, or at most keepFirst = ${first}: earlier tokens were evicted`,
          fix: "make the cache with `room` for the tokens that may be dropped, or reset it.",
        });
      });
    },
    crop(newLengths) {
      lengths = newLengths;
      oldest = oldest.map((p, b) => Math.min(p, Math.max(first, newLengths[b]!)));
    },
    fork: () => rollingStore(sizes, layout, { buffers: retain(buffers), lengths, oldest }),
    selectBatches(ids) {
      if (!buffers) return;
      const indices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      buffers = replace(buffers, (x) => take(x, 0, indices.to(x.device)));
      lengths = ids.map((id) => lengths[id]!);
      oldest = ids.map((id) => oldest[id]!);
    },
    clear() {
      release(buffers);
      buffers = undefined;
      lengths = [];
      oldest = [];
    },
    save: () => buffers && { tensors: buffers.tensors, numbers: { lengths, oldest } },
    fromSaved(saved) {
      const { tensors, numbers } = saved;
      checkSaved(saved, {
        current: buffers?.tensors,
        ...(layout.dtype && { dtype: layout.dtype }),
        tokens: first + ring,
        lists: ["lengths", "oldest"],
        holds: (batch) => batch("oldest") >= first && batch("lengths") - batch("oldest") <= ring,
      });
      return rollingStore(sizes, layout, {
        buffers: sharedTensors({ key: tensors["key"]!, value: tensors["value"]! }),
        lengths: numbers["lengths"]!,
        oldest: numbers["oldest"]!,
      });
    },
  };
}

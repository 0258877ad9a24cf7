import type { KeyValues } from "@qkv/attention-contract";
import { mapTensors, slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSaved, everyTokenRule } from "./check-saved.js";
import type { KeyValueStore, SavedLayer } from "./layer-store.js";
import { allEqual, contiguousPositions } from "./positions.js";
import { tokenType, separateRows, type RowLayout } from "./row-layout.js";
import {
  zeroBuffer,
  allocatedBytes,
  grown,
  release,
  moveRows,
  exclusiveTensors,
  replace,
  retain,
  sharedTensors,
  type SharedTensors,
} from "./shared-tensors.js";

/** Returns the new capacity of a buffer of `capacity` tokens that has to hold `needed` tokens, or throws if it must not grow. */
export type GrowthPolicy = (needed: number, capacity: number) => number;

/** Doubles buffers that are too small, so each token is copied a constant number of times on average. */
export const doubling: GrowthPolicy = (needed, capacity) =>
  needed <= capacity ? capacity : Math.max(needed, 2 * capacity);

type State = { buffers: SharedTensors<string> | undefined; lengths: readonly number[] };

/**
 * Stores tokens in contiguous buffers `[B, Hkv, capacity, D]`: by default one of keys and one of values. Each sequence of the
 * batch starts at index 0 of the token axis.
 */
export function contiguousStore(
  grow: GrowthPolicy,
  layout: RowLayout = separateRows,
  initial: State = { buffers: undefined, lengths: [] },
): KeyValueStore {
  let { buffers, lengths } = initial;
  const { rows, views } = layout;
  const capacity = () => buffers?.tensors["key"]!.shape[2] ?? 0;
  const longest = () => Math.max(0, ...lengths);
  // A plain loop instead of `mapTensors`: each decoding step reads each layer.
  const storedTensors = () => {
    const end = longest();
    const tensors: Record<string, Tensor> = {};
    for (const name of layout.names) tensors[name] = slice(buffers!.tensors[name]!, 2, 0, end);
    return tensors;
  };
  const read = (): KeyValues => {
    const { key, value } = views(storedTensors());
    return { key: [key], value: [value], positions: contiguousPositions(lengths) };
  };
  return {
    get device() {
      return buffers?.tensors["key"]!.device;
    },
    get current() {
      return buffers && { ...views(buffers.tensors), batches: lengths.length, ...tokenType(layout) };
    },
    get lengths() {
      return lengths;
    },
    get stored() {
      return longest();
    },
    get bytes() {
      return allocatedBytes(buffers);
    },
    append(key, value) {
      const [B, , T] = key.shape as [number, number, number];
      const before = buffers ? lengths : new Array<number>(B).fill(0);
      const needed = Math.max(0, ...before) + T;
      const newCapacity = grow(needed, capacity());
      const added = rows(key, value);
      buffers = buffers
        ? exclusiveTensors(buffers, key.device)
        : sharedTensors(mapTensors(added, (x) => emptyLike(x, newCapacity)));
      lengths = before; // set before the writes, which may fail: there must be a length per sequence as soon as buffers exist
      if (newCapacity > capacity()) buffers = replace(buffers, (x) => grown(x, 2, newCapacity));
      for (const name of layout.names) writeRows(buffers.tensors[name]!, before, added[name]!);
      lengths = before.map((n) => n + T);
      return read();
    },
    read,
    checkCrop: () => undefined,
    crop(newLengths) {
      lengths = newLengths;
    },
    discard(start, end) {
      if (!buffers || start === end) return;
      buffers = exclusiveTensors(buffers);
      for (const x of Object.values<Tensor>(buffers.tensors))
        moveRows(x, 2, start, slice(x, 2, end, longest()));
      lengths = lengths.map((n) => n - (end - start));
    },
    fork: () => contiguousStore(grow, layout, { buffers: retain(buffers), lengths }),
    selectBatches(ids) {
      if (!buffers) return;
      const indices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      buffers = replace(buffers, (x) => take(x, 0, indices.to(x.device)));
      lengths = ids.map((id) => lengths[id]!);
    },
    clear() {
      release(buffers);
      buffers = undefined;
      lengths = [];
    },
    save: (): SavedLayer | undefined => buffers && { tensors: storedTensors(), numbers: { lengths } },
    fromSaved(saved) {
      const { tensors, numbers } = saved;
      checkSaved(saved, { ...everyTokenRule(buffers?.tensors), ...layout });
      const newCapacity = grow(Math.max(0, ...numbers["lengths"]!), 0);
      const withCapacity = (x: Tensor) => grown(x, 2, Math.max(newCapacity, x.shape[2]!));
      return contiguousStore(grow, layout, {
        buffers: sharedTensors(
          Object.fromEntries(layout.names.map((name) => [name, withCapacity(tensors[name]!)])),
        ),
        lengths: numbers["lengths"]!,
      });
    },
  };
}

/** A zeroed buffer `[B, Hkv, capacity, D]` for tokens like those of x `[B, Hkv, T, D]`. */
export function emptyLike(x: Tensor, capacity: number): Tensor {
  return zeroBuffer(
    x.shape.map((length, axis) => (axis === 2 ? capacity : length)),
    x,
  );
}

/** Writes rows `[B, Hkv, T, D]`: those of sequence b from index `starts[b]` of the token axis on. */
function writeRows(to: Tensor, starts: readonly number[], rows: Tensor): void {
  if (allEqual(starts)) {
    write(to, 2, starts[0] ?? 0, rows);
    return;
  }
  starts.forEach((start, b) => write(slice(to, 0, b, b + 1), 2, start, slice(rows, 0, b, b + 1)));
}

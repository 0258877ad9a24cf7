import type { KeyValues } from "@qkv/attention-contract";
import { slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSaved, everyTokenRule } from "./check-saved.js";
import type { KeyValueStore, SavedLayer } from "./layer-store.js";
import { allEqual, contiguousPositions } from "./positions.js";
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

/** Returns the new capacity of a buffer of `capacity` tokens that has to hold `needed` tokens. May throw. */
export type GrowthPolicy = (needed: number, capacity: number) => number;

type State = { buffers: SharedTensors<"key" | "value"> | undefined; lengths: readonly number[] };

/** Stores tokens in one buffer of keys `[B, Hkv, capacity, D]` and one of values; each batch begins at index 0. */
export function contiguousStore(
  grow: GrowthPolicy,
  initial: State = { buffers: undefined, lengths: [] },
): KeyValueStore {
  let { buffers, lengths } = initial;
  const capacity = () => buffers?.tensors.key.shape[2] ?? 0;
  const longest = () => Math.max(0, ...lengths);
  const read = (): KeyValues => ({
    key: [slice(buffers!.tensors.key, 2, 0, longest())],
    value: [slice(buffers!.tensors.value, 2, 0, longest())],
    positions: contiguousPositions(lengths),
  });
  return {
    get device() {
      return buffers?.tensors.key.device;
    },
    get current() {
      return buffers && { ...buffers.tensors, batches: lengths.length };
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
      buffers = buffers
        ? exclusiveTensors(buffers, key.device)
        : sharedTensors({ key: emptyLike(key, newCapacity), value: emptyLike(value, newCapacity) });
      lengths = before; // set before the writes, which may fail: empty buffers, too, have a length per batch
      if (newCapacity > capacity()) buffers = replace(buffers, (x) => grown(x, 2, newCapacity));
      writeRows(buffers.tensors.key, before, key);
      writeRows(buffers.tensors.value, before, value);
      lengths = before.map((n) => n + T);
      return read();
    },
    read,
    checkCrop: () => undefined,
    crop(kept) {
      lengths = kept;
    },
    discard(start, end) {
      if (!buffers || start === end) return;
      buffers = exclusiveTensors(buffers);
      for (const x of Object.values<Tensor>(buffers.tensors))
        moveRows(x, 2, start, slice(x, 2, end, longest()));
      lengths = lengths.map((n) => n - (end - start));
    },
    fork: () => contiguousStore(grow, { buffers: retain(buffers), lengths }),
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
    save: (): SavedLayer | undefined =>
      buffers && {
        tensors: {
          key: slice(buffers.tensors.key, 2, 0, longest()),
          value: slice(buffers.tensors.value, 2, 0, longest()),
        },
        numbers: { lengths },
      },
    fromSaved(saved) {
      const { tensors, numbers } = saved;
      checkSaved(saved, everyTokenRule(buffers?.tensors));
      const newCapacity = grow(Math.max(0, ...numbers["lengths"]!), 0);
      const withCapacity = (x: Tensor) => grown(x, 2, Math.max(newCapacity, x.shape[2]!));
      return contiguousStore(grow, {
        buffers: sharedTensors({
          key: withCapacity(tensors["key"]!),
          value: withCapacity(tensors["value"]!),
        }),
        lengths: numbers["lengths"]!,
      });
    },
  };
}

/** An empty buffer for tokens like those of x, `[B, Hkv, capacity, D]`. */
export function emptyLike(x: Tensor, capacity: number): Tensor {
  return zeroBuffer(
    x.shape.map((own, axis) => (axis === 2 ? capacity : own)),
    x,
  );
}

/** Writes the tokens of rows `[B, Hkv, T, D]`, each batch from its own start on. */
function writeRows(to: Tensor, starts: readonly number[], rows: Tensor): void {
  if (allEqual(starts)) {
    write(to, 2, starts[0] ?? 0, rows);
    return;
  }
  starts.forEach((start, b) => write(slice(to, 0, b, b + 1), 2, start, slice(rows, 0, b, b + 1)));
}

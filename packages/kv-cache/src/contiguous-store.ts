import type { KeyValues } from "@qkv/attention-contract";
import { slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSaved, everyToken } from "./check-saved.js";
import type { LayerStore, SavedLayer } from "./layer-store.js";
import { even, positionsFrom0 } from "./positions.js";
import {
  buffer,
  bytesOf,
  enlarged,
  letGo,
  moveRows,
  ownTensors,
  replace,
  share,
  sharedTensors,
  type SharedTensors,
} from "./shared-tensors.js";

/** How much room a buffer gets that shall hold `needed` tokens and has room for `capacity`. May refuse. */
export type Room = (needed: number, capacity: number) => number;

type State = { buffers: SharedTensors<"key" | "value"> | undefined; lengths: readonly number[] };

/** Tokens in one buffer for keys `[B, Hkv, capacity, D]` and one for values, each batch from 0 on. */
export function contiguousStore(
  room: Room,
  initial: State = { buffers: undefined, lengths: [] },
): LayerStore {
  let { buffers, lengths } = initial;
  const capacity = () => buffers?.tensors.key.shape[2] ?? 0;
  const longest = () => Math.max(0, ...lengths);
  const read = (): KeyValues => ({
    key: [slice(buffers!.tensors.key, 2, 0, longest())],
    value: [slice(buffers!.tensors.value, 2, 0, longest())],
    positions: positionsFrom0(lengths),
  });
  return {
    get held() {
      return buffers && { ...buffers.tensors, batches: lengths.length };
    },
    get lengths() {
      return lengths;
    },
    get stored() {
      return longest();
    },
    get bytes() {
      return bytesOf(buffers);
    },
    append(key, value) {
      const [B, , T] = key.shape as [number, number, number];
      const before = buffers ? lengths : new Array<number>(B).fill(0);
      const needed = Math.max(0, ...before) + T;
      const wanted = room(needed, capacity());
      buffers = buffers
        ? ownTensors(buffers, key.device)
        : sharedTensors({ key: emptyLike(key, wanted), value: emptyLike(value, wanted) });
      lengths = before; // a write may fail: buffers without tokens are those of as many batches
      if (wanted > capacity()) buffers = replace(buffers, (x) => enlarged(x, 2, wanted));
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
      buffers = ownTensors(buffers);
      for (const x of Object.values<Tensor>(buffers.tensors))
        moveRows(x, 2, start, slice(x, 2, end, longest()));
      lengths = lengths.map((n) => n - (end - start));
    },
    fork: () => contiguousStore(room, { buffers: share(buffers), lengths }),
    take(ids) {
      if (!buffers) return;
      const indices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      buffers = replace(buffers, (x) => take(x, 0, indices.to(x.device)));
      lengths = ids.map((id) => lengths[id]!);
    },
    clear() {
      letGo(buffers);
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
    restored(saved) {
      const { tensors, numbers } = saved;
      checkSaved(saved, everyToken(buffers?.tensors));
      const wanted = room(Math.max(0, ...numbers["lengths"]!), 0);
      const widened = (x: Tensor) => enlarged(x, 2, Math.max(wanted, x.shape[2]!));
      return contiguousStore(room, {
        buffers: sharedTensors({ key: widened(tensors["key"]!), value: widened(tensors["value"]!) }),
        lengths: numbers["lengths"]!,
      });
    },
  };
}

/** A buffer for tokens like x, `[B, Hkv, capacity, D]`. */
export function emptyLike(x: Tensor, capacity: number): Tensor {
  return buffer(
    x.shape.map((own, axis) => (axis === 2 ? capacity : own)),
    x,
  );
}

/** Writes the tokens of rows `[B, Hkv, T, D]`, each batch from its own place on. */
function writeRows(to: Tensor, starts: readonly number[], rows: Tensor): void {
  if (even(starts)) {
    write(to, 2, starts[0] ?? 0, rows);
    return;
  }
  starts.forEach((start, b) => write(slice(to, 0, b, b + 1), 2, start, slice(rows, 0, b, b + 1)));
}

import { checks, knownNames } from "@qkv/core";
import type { LayerState } from "@qkv/attention-contract";
import { concat, contiguous, mapTensors, slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSavedState } from "./check-state.js";
import type { StateStore } from "./layer-store.js";
import {
  allocatedBytes,
  exclusiveTensors,
  release,
  replace,
  retain,
  sharedTensors,
  zeroBuffer,
  type SharedTensors,
} from "./shared-tensors.js";

/** A state, and the number of tokens that it has read, per sequence. */
type Snapshot = { readonly state: SharedTensors<string>; readonly lengths: readonly number[] };

type State = {
  /** Stored states, from the oldest checkpoint to the current state. */
  snapshots: readonly Snapshot[];
  lengths: readonly number[];
};

/**
 * Stores the current state of a recurrent layer and the states before the last `checkpoints` calls of `advance`. The buffers of
 * the oldest checkpoint are reused for the next state, so the memory does not depend on the number of tokens.
 */
export function stateStore(checkpoints: number, initial: State = { snapshots: [], lengths: [] }): StateStore {
  let { lengths } = initial;
  let snapshots = [...initial.snapshots];
  /** Buffers of removed checkpoints, which are reused for the next state. */
  let spare: SharedTensors<string>[] = [];

  const current = () => snapshots.at(-1)?.state.tensors;
  const remove = (removed: readonly Snapshot[]) => {
    for (const { state } of removed) {
      if (state.owners === 1) spare.push(state);
      else release(state);
    }
  };
  /** Buffers with one owner, of the shapes of this state. */
  const buffersFor = (state: LayerState): SharedTensors<string> => {
    const [device] = Object.values(state).map((x) => x.device);
    const last = spare.pop();
    if (last) return exclusiveTensors(last, device);
    return sharedTensors(mapTensors({ ...state }, (x) => zeroBuffer(x.shape, x)));
  };
  /** Index of the newest snapshot in which sequence b has `length` tokens, or -1. */
  const snapshotAt = (length: number, b: number) =>
    snapshots.findLastIndex((snapshot) => snapshot.lengths[b] === length);

  return {
    get device() {
      return Object.values(current() ?? {})[0]?.device;
    },
    get current() {
      return current();
    },
    get lengths() {
      return lengths;
    },
    stored: 0, // a state contains no single tokens
    get bytes() {
      const allBuffers = [...snapshots.map(({ state }) => state), ...spare];
      return allBuffers.reduce((sum, buffers) => sum + allocatedBytes(buffers), 0);
    },
    advance(state, tokens) {
      const after = tokens.map((count, b) => (lengths[b] ?? 0) + count);
      // A call without new tokens replaces the current state, and does not add a checkpoint.
      const sameLength = tokens.every((count) => count === 0);
      const removed = sameLength ? snapshots.slice(-1) : snapshots.slice(0, -checkpoints || undefined);
      // The new state may contain views of the buffers that are about to be overwritten: these are copied first.
      const written = new Set(removed.flatMap((snapshot) => storages(snapshot.state.tensors)));
      const source = mapTensors({ ...state }, (x) => (written.has(x.storage) ? copied(x) : x));
      remove(removed);
      snapshots = snapshots.filter((snapshot) => !removed.includes(snapshot));
      const buffers = buffersFor(source);
      for (const [name, x] of Object.entries(source)) write(buffers.tensors[name]!, 0, 0, x);
      snapshots.push({ state: buffers, lengths: after });
      lengths = after;
    },
    checkCrop(newLengths) {
      newLengths.forEach((n, b) => {
        if (newLengths.every((length) => length === 0) || n === lengths[b] || snapshotAt(n, b) >= 0) return;
        const storedLengths = [...new Set(snapshots.map((snapshot) => snapshot.lengths[b]!))];
        checks("crop").refuse({
          argument: "length",
          received: n,
          expected: `${knownNames(n, storedLengths)}, of which a state is stored, or 0 for all sequences`,
          fix: "make the cache with more `checkpoints`, or `fork()` it at each length to which it may have to be cropped.",
        });
      });
    },
    crop(newLengths) {
      if (newLengths.every((n, b) => n === lengths[b])) return;
      const snapshotIndices = newLengths.map(snapshotAt);
      const oldest = Math.min(...snapshotIndices);
      if (oldest < 0) {
        for (const { state } of snapshots) release(state);
        [snapshots, spare] = [[], []]; // the next state may have other shapes
      } else if (snapshotIndices.every((i) => i === oldest)) {
        remove(snapshots.slice(oldest + 1));
        snapshots = snapshots.slice(0, oldest + 1);
      } else {
        const rows = mapTensors({ ...current()! }, (_, name) =>
          concat(
            snapshotIndices.map((i, b) => slice(snapshots[i]!.state.tensors[name]!, 0, b, b + 1)),
            0,
          ),
        );
        remove(snapshots.slice(oldest));
        snapshots = [...snapshots.slice(0, oldest), { state: sharedTensors(rows), lengths: newLengths }];
      }
      lengths = newLengths;
    },
    fork() {
      for (const { state } of snapshots) retain(state);
      return stateStore(checkpoints, { snapshots, lengths });
    },
    selectBatches(ids) {
      const indices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      const select = (values: readonly number[]) => ids.map((id) => values[id]!);
      snapshots = snapshots.map((snapshot) => ({
        state: replace(snapshot.state, (x) => take(x, 0, indices.to(x.device))),
        lengths: select(snapshot.lengths),
      }));
      lengths = select(lengths);
      spare = [];
    },
    clear() {
      for (const { state } of snapshots) release(state);
      [snapshots, spare, lengths] = [[], [], []];
    },
    save: () => (lengths.length > 0 ? { tensors: current() ?? {}, numbers: { lengths } } : undefined),
    fromSaved(saved) {
      checkSavedState(saved, current());
      const savedLengths = saved.numbers["lengths"]!;
      const snapshots =
        Object.keys(saved.tensors).length > 0
          ? [{ state: sharedTensors(saved.tensors), lengths: savedLengths }]
          : [];
      return stateStore(checkpoints, { snapshots, lengths: savedLengths });
    },
  };
}

const storages = (state: LayerState) => Object.values(state).map(({ storage }) => storage);

/** A copy of a tensor in new memory. */
function copied(x: Tensor): Tensor {
  const packed = contiguous(x);
  if (packed !== x) return packed; // `contiguous` has copied it
  const copy = zeroBuffer(x.shape, x);
  write(copy, 0, 0, x);
  return copy;
}

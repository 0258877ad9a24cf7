import type { PagedBlocks, KeyValues } from "@qkv/attention-contract";
import { slice, take, tensor, write, type Tensor } from "@qkv/tensor";
import { checkSaved } from "./check-saved.js";
import { emptyLike } from "./contiguous-store.js";
import type { KeyValueStore } from "./layer-store.js";
import { allEqual, mergePositions } from "./positions.js";
import { dequantize, quantize } from "./quantize.js";
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

/** Sizes in tokens. `group`: tokens that are quantized together. `residual`: last tokens, which are stored as floats. */
export type QuantizedSizes = { readonly group: number; readonly residual: number };

type Name = "key" | "value" | "keyCodes" | "keyScale" | "valueCodes" | "valueScale";
type State = {
  buffers: SharedTensors<Name> | undefined;
  lengths: readonly number[];
  /** Number of quantized groups, per sequence. */
  groups: readonly number[];
};
const codeNames = ["keyCodes", "keyScale", "valueCodes", "valueScale"] as const;

/**
 * Stores older tokens in groups of int8 codes and the last ones as floats. The buffer of floats is
 * `[B, Hkv, residual + group, D]`. When it is full, the oldest `group` tokens are quantized: group g of sequence b becomes
 * block `g · B + b` of the codes `[blocks, Hkv, group, D]`, with a scale per channel for keys and per token for values.
 *
 * @see "KIVI" (2024), arXiv:2402.02750
 */
export function quantizedStore(
  sizes: QuantizedSizes,
  initial: State = { buffers: undefined, lengths: [], groups: [] },
): KeyValueStore {
  const { group, residual } = sizes;
  const capacity = residual + group;
  let { buffers, lengths, groups } = initial;
  const floatCounts = () => lengths.map((n, b) => n - groups[b]! * group);

  /** Calls `f` once for all sequences `0 … B - 1` if they have the same lengths, else once for each. */
  const forEqualSequences = (f: (first: number, last: number) => void): void => {
    if (allEqual(lengths) && allEqual(groups)) f(0, lengths.length);
    else lengths.forEach((_, b) => f(b, b + 1));
  };
  /** Quantizes the oldest group of floats of the sequences `first … last - 1`. */
  const quantizeOldest = (first: number, last: number): void => {
    const B = lengths.length;
    const g = groups[first]!;
    const blocks = buffers!.tensors.keyCodes.shape[0]!;
    if ((g + 1) * B > blocks) {
      const newBlocks = Math.max(B, 2 * blocks);
      buffers = replace(buffers!, (x, name) =>
        name === "key" || name === "value" ? x : grown(x, 0, newBlocks),
      );
    }
    const { tensors } = buffers!;
    for (const [name, axis] of [
      ["key", 2],
      ["value", 3],
    ] as const) {
      const tail = slice(tensors[name], 0, first, last);
      const { codes, scale } = quantize(slice(tail, 2, 0, group), axis);
      write(tensors[`${name}Codes`], 0, g * B + first, codes);
      write(tensors[`${name}Scale`], 0, g * B + first, scale);
      moveRows(tail, 2, 0, slice(tail, 2, group, capacity));
    }
    groups = groups.map((count, b) => (b >= first && b < last ? count + 1 : count));
  };
  const quantizedBlocks = (name: "key" | "value"): PagedBlocks => {
    const B = lengths.length;
    const columns = Math.max(...groups);
    return {
      data: buffers!.tensors[`${name}Codes`],
      scale: buffers!.tensors[`${name}Scale`],
      table: Int32Array.from({ length: B * columns }, (_, n) => (n % columns) * B + Math.floor(n / columns)),
      blockLength: group,
      length: allEqual(groups) ? columns * group : Int32Array.from(groups, (g) => g * group),
    };
  };
  const read = (): KeyValues => {
    const [columns, tail] = [Math.max(0, ...groups), Math.max(0, ...floatCounts())];
    const positionRows = () =>
      lengths.map((n, b) => {
        const coded = groups[b]! * group;
        return [
          ...Array.from({ length: columns * group }, (_, s) => (s < coded ? s : -1)),
          ...Array.from({ length: tail }, (_, s) => (coded + s < n ? coded + s : -1)),
        ];
      });
    const same = allEqual(lengths) && allEqual(groups);
    const segments = (name: "key" | "value") => [
      ...(columns > 0 ? [quantizedBlocks(name)] : []),
      slice(buffers!.tensors[name], 2, 0, tail),
    ];
    return {
      key: segments("key"),
      value: segments("value"),
      positions: same ? { start: 0 } : mergePositions(positionRows()),
    };
  };

  return {
    get device() {
      return buffers?.tensors.key.device;
    },
    get current() {
      return buffers && { key: buffers.tensors.key, value: buffers.tensors.value, batches: lengths.length };
    },
    get lengths() {
      return lengths;
    },
    get stored() {
      return Math.max(0, ...lengths);
    },
    get bytes() {
      return allocatedBytes(buffers);
    },
    append(key, value) {
      const [B, Hkv, T, D] = key.shape as [number, number, number, number];
      const Dv = value.shape[3]!;
      if (buffers) buffers = exclusiveTensors(buffers, key.device);
      else {
        const codes = { dtype: "int8", device: key.device } as const;
        buffers = sharedTensors<Name>({
          key: emptyLike(key, capacity),
          value: emptyLike(value, capacity),
          keyCodes: zeroBuffer([0, Hkv, group, D], codes),
          keyScale: zeroBuffer([0, Hkv, 1, D], key),
          valueCodes: zeroBuffer([0, Hkv, group, Dv], codes),
          valueScale: zeroBuffer([0, Hkv, group, 1], value),
        });
        lengths = new Array<number>(B).fill(0);
        groups = lengths;
      }
      forEqualSequences((first, last) => {
        for (let t = 0; t < T;) {
          const n = lengths[first]! - groups[first]! * group;
          const count = Math.min(T - t, capacity - n);
          for (const [to, from] of [
            [buffers!.tensors.key, key],
            [buffers!.tensors.value, value],
          ] as const) {
            const rows = slice(slice(from, 0, first, last), 2, t, t + count);
            write(slice(to, 0, first, last), 2, n, rows);
          }
          lengths = lengths.map((length, b) => (b >= first && b < last ? length + count : length));
          t += count;
          if (n + count === capacity) quantizeOldest(first, last);
        }
      });
      return read();
    },
    read,
    checkCrop: () => undefined,
    crop(newLengths) {
      if (!buffers) return;
      const B = lengths.length;
      const before = groups;
      if (newLengths.some((n, b) => n < before[b]! * group)) buffers = exclusiveTensors(buffers);
      groups = before.map((count, b) => Math.min(count, Math.floor(newLengths[b]! / group)));
      lengths = newLengths;
      for (let b = 0; b < B; b++) {
        // The crop cuts a group: its remaining tokens are dequantized and become floats again.
        if (groups[b] === before[b]) continue;
        for (const name of ["key", "value"] as const) {
          const cutBlock = (x: Tensor) => slice(x, 0, groups[b]! * B + b, groups[b]! * B + b + 1);
          const codes = cutBlock(buffers.tensors[`${name}Codes`]);
          const rows = dequantize({ codes, scale: cutBlock(buffers.tensors[`${name}Scale`]) });
          write(slice(buffers.tensors[name], 0, b, b + 1), 2, 0, rows);
        }
      }
    },
    fork: () => quantizedStore(sizes, { buffers: retain(buffers), lengths, groups }),
    selectBatches(ids) {
      if (!buffers) return;
      const B = lengths.length;
      const columns = Math.max(0, ...groups);
      const sequenceIndices = tensor([...ids], { dtype: "int32", shape: [ids.length] });
      const blocks = tensor(Array.from({ length: columns }, (_, g) => ids.map((id) => g * B + id)).flat(), {
        dtype: "int32",
        shape: [columns * ids.length],
      });
      buffers = replace(buffers, (x, name) =>
        take(x, 0, (name === "key" || name === "value" ? sequenceIndices : blocks).to(x.device)),
      );
      lengths = ids.map((id) => lengths[id]!);
      groups = ids.map((id) => groups[id]!);
    },
    clear() {
      release(buffers);
      buffers = undefined;
      lengths = [];
      groups = [];
    },
    save() {
      if (!buffers) return undefined;
      const blocks = Math.max(...groups) * lengths.length;
      const { key, value } = buffers.tensors;
      const coded = codeNames.map((name) => [name, slice(buffers!.tensors[name], 0, 0, blocks)]);
      return { tensors: { key, value, ...Object.fromEntries(coded) }, numbers: { lengths, groups } };
    },
    fromSaved(saved) {
      const { tensors, numbers } = saved;
      checkSaved(saved, {
        current: buffers?.tensors,
        tokens: capacity,
        lists: ["lengths", "groups"],
        extraTensors(B, heads) {
          const [D, Dv] = ["key", "value"].map((name) => tensors[name]!.shape[3]!);
          const blocks = Math.max(0, ...(numbers["groups"] ?? [])) * B;
          const float = tensors["key"]!.dtype;
          return {
            keyCodes: ["int8", blocks, heads, group, D],
            keyScale: [float, blocks, heads, 1, D],
            valueCodes: ["int8", blocks, heads, group, Dv],
            valueScale: [float, blocks, heads, group, 1],
          };
        },
        holds(batch) {
          const floats = batch("lengths") - batch("groups") * group;
          return floats >= 0 && floats <= capacity;
        },
      });
      return quantizedStore(sizes, {
        buffers: sharedTensors(tensors as Record<Name, Tensor>),
        lengths: numbers["lengths"]!,
        groups: numbers["groups"]!,
      });
    },
  };
}

import type { EvictionScore } from "@qkv/attention-contract";
import { slice, tensor, type DType, type Tensor } from "@qkv/tensor";
import { checkSaved } from "./check-saved.js";
import type { EvictingSizes, Sequence } from "./evicting-sequence.js";
import type { SavedLayer } from "./layer-store.js";
import { refuseSaved } from "./saved.js";

const lists = ["lengths", "evictedAt", "queries"] as const;

/** Converts sequences to the tensors of a file: keys, values and positions, and the scores and queries that the score needs. */
export function savedSequences(
  buffers: { readonly key: Tensor; readonly value: Tensor },
  sequences: readonly Sequence[],
  { budget, room, keptPer }: EvictingSizes,
  { accumulates, queryWindow }: EvictionScore,
): SavedLayer {
  const [B, Hkv] = buffers.key.shape as [number, number];
  const capacity = budget + room;
  const float64 = (rows: readonly (readonly number[])[], shape: number[]) =>
    tensor(Float64Array.from(rows.flat()), { shape });
  const queries = sequences.map(({ query }) => query?.shape[2] ?? 0);
  const numbers = {
    lengths: sequences.map(({ length }) => length),
    evictedAt: sequences.map(({ evictedAt }) => evictedAt),
    queries,
  };
  const [, H, , D] = sequences.find(({ query }) => query)?.query?.shape ?? [0, Hkv, 0, buffers.key.shape[3]!];
  return {
    tensors: {
      key: buffers.key,
      value: buffers.value,
      positions: float64(
        sequences.flatMap(({ positions }) => positions),
        [B, ...(keptPer === "head" ? [Hkv] : []), capacity],
      ),
      ...(accumulates && {
        scores: float64(
          sequences.map(({ scores }) => scores),
          [B, Hkv, capacity],
        ),
      }),
      ...(queryWindow > 0 && {
        query: paddedQueries(sequences, [B, H!, queryWindow, D!], buffers.key.dtype),
      }),
    },
    numbers,
  };
}

/** The queries of all sequences in one tensor `[B, H, Q, D]`; those of a sequence with fewer than Q are padded with zeros. */
function paddedQueries(sequences: readonly Sequence[], shape: readonly number[], dtype: DType): Tensor {
  const [B, H, Q, D] = shape as [number, number, number, number];
  const numbers = dtype === "float64" ? new Float64Array(B * H * Q * D) : new Float32Array(B * H * Q * D);
  sequences.forEach(({ query }, b) => {
    const rows = query?.shape[2] ?? 0;
    for (let h = 0; h < H && rows > 0; h++)
      numbers.set(
        (query!.data as Float32Array).subarray(h * rows * D, (h + 1) * rows * D),
        (b * H + h) * Q * D,
      );
  });
  return tensor(numbers, { shape });
}

const damaged = "the file is damaged or was changed: restore another copy, or read the prompt again.";

/** Reads the sequences of a file. Refuses a file that a cache of these sizes cannot have written. */
export function restoredSequences(
  saved: SavedLayer,
  { budget, room, keptPer }: EvictingSizes,
  { accumulates, queryWindow }: EvictionScore,
  current: Readonly<Partial<Record<string, Tensor>>> | undefined,
): Sequence[] {
  const capacity = budget + room;
  const keyType = saved.tensors["key"]?.dtype ?? "float32";
  checkSaved(saved, {
    current,
    tokens: capacity,
    lists,
    extraTensors: (B, heads) => ({
      positions: ["float64", B, ...(keptPer === "head" ? [heads] : []), capacity] as const,
      ...(accumulates && { scores: ["float64", B, heads, capacity] as const }),
      ...(queryWindow > 0 && {
        query: [keyType, B, undefined, queryWindow, saved.tensors["key"]!.shape[3]] as const,
      }),
    }),
    holds: (batch) => batch("evictedAt") <= batch("lengths") && batch("queries") <= queryWindow,
  });
  const { tensors, numbers } = saved;
  const [B, Hkv] = tensors["key"]!.shape as [number, number];
  return Array.from({ length: B }, (_, b) => {
    const length = numbers["lengths"]![b]!;
    const lists = keptPer === "head" ? Hkv : 1;
    const positions = Array.from({ length: lists }, (_, list) => {
      const from = (b * lists + list) * capacity;
      return Array.from(tensors["positions"]!.data.subarray(from, from + capacity), Number);
    });
    const storedPositions = positions.map((list) => list.filter((p) => p !== -1));
    const isValid = (list: readonly number[]) =>
      list.every((p) => Number.isInteger(p) && p >= 0 && p < length) &&
      new Set(list).size === list.length &&
      list.length <= budget &&
      list.length === storedPositions[0]!.length;
    if (!storedPositions.every(isValid)) {
      const expected = `at most ${budget} of the ${length} tokens, each once${lists > 1 ? ", as many in each head" : ""}`;
      refuseSaved("positions", positions.flat(), expected, damaged);
    }
    const scores = accumulates
      ? Array.from(tensors["scores"]!.data.subarray(b * Hkv * capacity, (b + 1) * Hkv * capacity), Number)
      : [];
    const rows = numbers["queries"]![b]!;
    const query = rows > 0 ? slice(slice(tensors["query"]!, 0, b, b + 1), 2, 0, rows) : undefined;
    return {
      ...{ length, positions, scores },
      evictedAt: numbers["evictedAt"]![b]!,
      query: query && tensor(query.data.slice(), { shape: query.shape }),
    };
  });
}

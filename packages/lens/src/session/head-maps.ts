import { firstToken, induction, previousToken, sameToken } from "@qkv/attention";
import { contiguous, js, sizeOf, Tensor, tensor } from "@qkv/tensor";

/** Names of attention patterns. A head's score for a pattern is from 0 to 1. */
export const patternNames = ["previousToken", "firstToken", "sameToken", "induction"] as const;
export type PatternName = (typeof patternNames)[number];

const patterns: Record<PatternName, (weights: Tensor, ids: Int32Array) => Tensor> = {
  previousToken,
  firstToken,
  sameToken,
  induction,
};

/** Patterns that a text can have: all need two tokens or more, the last two a token that occurs twice. */
export function patternsIn(ids: Int32Array): readonly PatternName[] {
  if (ids.length < 2) return [];
  return new Set(ids).size < ids.length ? patternNames : ["previousToken", "firstToken"];
}

/** The score of each head for a pattern. */
export const patternScores = (name: PatternName, weights: Tensor, ids: Int32Array): number[] =>
  Array.from(patterns[name](weights, ids).data, Number);

/** Baselines: scores of a head that attends uniformly to the keys that it sees. */
export function uniformScores(names: readonly PatternName[], ids: Int32Array): Record<string, number> {
  const T = ids.length;
  const uniform = tensor(
    Float32Array.from({ length: T * T }, (_, i) => {
      const query = Math.floor(i / T);
      return i % T <= query ? 1 / (query + 1) : 0;
    }),
    { shape: [1, 1, T, T] },
  );
  return Object.fromEntries(names.map((name) => [name, patternScores(name, uniform, ids)[0]!]));
}

/** Keys that an induction head attends to: positions that follow an earlier occurrence of some query's token. */
export function inductionKeys(ids: readonly number[]): number[] {
  const keys = new Set<number>();
  ids.forEach((id, query) => {
    for (let key = 1; key <= query; key++) if (ids[key - 1] === id) keys.add(key);
  });
  return [...keys].sort((a, b) => a - b);
}

/**
 * Small maps of all heads: each cell is the largest weight of a block of queries and keys.
 *
 * @param weights - `[1, H, T, T]`
 * @param cells - The most cells on a side.
 * @returns `[H, cells, cells]`, or `[H, T, T]` for a shorter text.
 */
export function smallMaps(weights: Tensor, cells: number): Float32Array {
  const [, H, T] = weights.shape as [number, number, number];
  const side = Math.min(cells, T);
  const cellsByHead = new Float32Array(H * side * side);
  const cellIndex = Int32Array.from({ length: T }, (_, i) => Math.floor((i * side) / T));
  const { data } = weights;
  for (let h = 0; h < H; h++) {
    for (let t = 0; t < T; t++) {
      const [row, start] = [(h * side + cellIndex[t]!) * side, (h * T + t) * T];
      // All keys are read: a prefix-LM mask lets a query see later keys.
      for (let s = 0; s < T; s++) {
        const weight = data[start + s]!;
        if (weight > cellsByHead[row + cellIndex[s]!]!) cellsByHead[row + cellIndex[s]!] = weight;
      }
    }
  }
  return cellsByHead;
}

/**
 * A view of a tensor's memory as a tensor of the plain device, valid until the device computes again. Reading `data` would copy
 * it each time, and weights are the largest tensors of a pass.
 */
export function hostView(x: Tensor): Tensor {
  const { array, shape, dtype, offset } = contiguous(x);
  const isWhole = offset === 0 && array.length === sizeOf(shape);
  const plain = js();
  return new Tensor(plain, plain.fromHost(dtype, isWhole ? array : x.data), [...shape]);
}

/** Weights of a layer. */
export type LayerWeights = { readonly numHeads: number; /** `[H, T, T]` */ readonly data: Float32Array };

/** A view of weights `[1, H, T, T]`, valid until the pass continues. */
export const weightsView = (weights: Tensor): LayerWeights => ({
  numHeads: weights.shape[1]!,
  data: hostView(weights).data as Float32Array,
});

/** A copy of weights, which stays valid after the pass. */
export const copyWeights = ({ numHeads, data }: LayerWeights): LayerWeights => ({
  numHeads,
  data: new Float32Array(data),
});

/** A copy of the weights of one head, `[T, T]`. */
export function headMap({ data, numHeads }: LayerWeights, head: number): Float32Array {
  const size = data.length / numHeads;
  return data.slice(head * size, (head + 1) * size);
}

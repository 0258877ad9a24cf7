import { firstToken, induction, previousToken, sameToken } from "@qkv/attention";
import { contiguous, js, sizeOf, Tensor, tensor } from "@qkv/tensor";

/** Scores of heads by the pattern of their weights, each from 0 to 1. */
export const patternNames = ["previousToken", "firstToken", "sameToken", "induction"] as const;
export type PatternName = (typeof patternNames)[number];

const patterns: Record<PatternName, (weights: Tensor, ids: Int32Array) => Tensor> = {
  previousToken,
  firstToken,
  sameToken,
  induction,
};

/** The patterns that a text can show: two tokens or more, and for the last two a token that occurs twice. */
export function patternsIn(ids: Int32Array): readonly PatternName[] {
  if (ids.length < 2) return [];
  return new Set(ids).size < ids.length ? patternNames : ["previousToken", "firstToken"];
}

/** The score of each head by a pattern. */
export const patternScores = (name: PatternName, weights: Tensor, ids: Int32Array): number[] =>
  Array.from(patterns[name](weights, ids).data, Number);

/** Scores of a head that attends to each key that it sees alike: the baselines of patterns. */
export function uniformScores(names: readonly PatternName[], ids: Int32Array): Record<string, number> {
  const T = ids.length;
  const even = tensor(
    Float32Array.from({ length: T * T }, (_, i) => {
      const query = Math.floor(i / T);
      return i % T <= query ? 1 / (query + 1) : 0;
    }),
    { shape: [1, 1, T, T] },
  );
  return Object.fromEntries(names.map((name) => [name, patternScores(name, even, ids)[0]!]));
}

/** Keys that an induction head attends to: positions after an earlier occurrence of the token of some query. */
export function inductionKeys(ids: readonly number[]): number[] {
  const keys = new Set<number>();
  ids.forEach((id, query) => {
    for (let key = 1; key <= query; key++) if (ids[key - 1] === id) keys.add(key);
  });
  return [...keys].sort((a, b) => a - b);
}

/**
 * Weights of all heads in few cells: each the largest weight of a block of queries and keys.
 *
 * @param weights - `[1, H, T, T]`
 * @param cells - Cells on a side, at most.
 * @returns `[H, cells, cells]`, or `[H, T, T]` of a shorter text.
 */
export function smallMaps(weights: Tensor, cells: number): Float32Array {
  const [, H, T] = weights.shape as [number, number, number];
  const side = Math.min(cells, T);
  const small = new Float32Array(H * side * side);
  const at = Int32Array.from({ length: T }, (_, i) => Math.floor((i * side) / T));
  const { data } = weights;
  for (let h = 0; h < H; h++) {
    for (let t = 0; t < T; t++) {
      const [row, start] = [(h * side + at[t]!) * side, (h * T + t) * T];
      // Keys after the query have no weight in a decoder, but in a prefix they may.
      for (let s = 0; s < T; s++) {
        const weight = data[start + s]!;
        if (weight > small[row + at[s]!]!) small[row + at[s]!] = weight;
      }
    }
  }
  return small;
}

/**
 * A tensor's numbers where they lie, as a tensor of the plain device: for looks that end before the device computes again. Each look at
 * the numbers of a device copies them, and weights are the largest tensors of a pass.
 */
export function inPlace(x: Tensor): Tensor {
  const { array, shape, dtype, offset } = contiguous(x);
  const isWhole = offset === 0 && array.length === sizeOf(shape);
  const plain = js();
  return new Tensor(plain, plain.fromHost(dtype, isWhole ? array : x.data), [...shape]);
}

/** Weights of a layer. */
export type LayerWeights = { readonly numHeads: number; /** `[H, T, T]` */ readonly data: Float32Array };

/** Weights `[1, H, T, T]` of a pass where they lie: they are gone when it goes on. */
export const weightsInPlace = (weights: Tensor): LayerWeights => ({
  numHeads: weights.shape[1]!,
  data: inPlace(weights).data as Float32Array,
});

/** Copies weights out of a pass, which lets them go. */
export const copiedWeights = ({ numHeads, data }: LayerWeights): LayerWeights => ({
  numHeads,
  data: new Float32Array(data),
});

/** A copy of the weights of one head, `[T, T]`. */
export function headMap({ data, numHeads }: LayerWeights, head: number): Float32Array {
  const size = data.length / numHeads;
  return data.slice(head * size, (head + 1) * size);
}

import {
  broadcastTo,
  cumsum,
  exp,
  expandDims,
  matmul,
  mul,
  pad,
  slice,
  squeeze,
  sum,
  transpose,
  tril,
  type Tensor,
} from "@qkv/tensor";

/** State that a row reads: before or after its own step. */
type Reads = "before" | "after";

/** Decays within chunks of L steps. */
export type ChunkDecay = {
  /** `x`, `[…, L, K]`, times the decay from the start of the chunk to the step that it reads. */
  sinceStart(x: Tensor, reads: Reads): Tensor;
  /** `x`, `[…, L, K]`, times the decay from after its step to the end of the chunk. */
  untilEnd(x: Tensor): Tensor;
  /** `x_i · y_j` times the decay in between, for each step j that row i reads: `[…, L, L]`, zeros elsewhere. */
  products(x: Tensor, y: Tensor, reads: Reads): Tensor;
  /** Decay of the whole chunk, for the rows of a state: `[…, 1, 1]` or `[…, K, 1]`. */
  readonly total: Tensor | undefined;
};

/**
 * Computes the decays within chunks from their logarithms. Each is the exponential of a sum over the steps in between, so there is no
 * overflow and no cancellation, and a log decay of −∞ (a reset) gives 0.
 *
 * @param decay - `[…, L, 1]`, `[…, L, K]`, or undefined for none.
 */
export function chunkDecay(decay: Tensor | undefined): ChunkDecay {
  if (!decay) {
    return {
      sinceStart: (x) => x,
      untilEnd: (x) => x,
      products: (x, y, reads) => tril(matmul(x, transpose(y)), reads === "after" ? 0 : -1),
      total: undefined,
    };
  }
  const steps = decay.shape.at(-2)!;
  const along = decay.shape.length - 2;
  const since = (exclusive: boolean) => exp(cumsum(decay, along, { exclusive }));
  const perChannel = decay.shape.at(-1)! > 1;
  // […, 1 or K, L, L]: the sum of row i adds what lies after step j.
  const channels = expandDims(transpose(decay), -1);
  const after = tril(broadcastTo(channels, [...channels.shape.slice(0, -1), steps]), -1);
  const between = exp(cumsum(after, after.shape.length - 2));
  const shifted = () => pad(slice(between, -2, 0, steps - 1), -2, 1, 0);
  return {
    sinceStart: (x, reads) => mul(x, since(reads === "before")),
    untilEnd: (x) => mul(x, exp(cumsum(decay, along, { exclusive: true, reverse: true }))),
    products(x, y, reads) {
      const factors = reads === "after" ? between : shifted();
      const pairs = perChannel
        ? sum(mul(mul(expandDims(transpose(x), -1), expandDims(transpose(y), -2)), factors), { axis: -3 })
        : mul(matmul(x, transpose(y)), squeeze(factors, -3));
      return tril(pairs, reads === "after" ? 0 : -1);
    },
    total: exp(transpose(sum(decay, { axis: along, keepDims: true }))),
  };
}

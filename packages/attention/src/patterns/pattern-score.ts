import { checks, ShapeError } from "@qkv/core";
import { checkTensor, tensor, type Tensor } from "@qkv/tensor";

/** True if the query attends to the key in the pattern. Both are positions; queries are the last ones. */
type InPattern = (query: number, key: number, batch: number) => boolean;

/**
 * Fraction of a head's attention weight on the keys of a pattern: for each query the weights of these keys are added, and the sums are
 * averaged over sequences and over the queries that have such a key.
 *
 * @param weights - `[B, H, T, S]`
 * @param from - First query position that is counted. Default 0.
 * @returns `[H]`, each from 0 to 1.
 */
export function patternScore(
  fn: string,
  weights: Tensor,
  inPattern: InPattern,
  fix: string,
  from = 0,
): Tensor {
  const { shape, data } = checkTensor(fn, "weights", weights);
  if (shape.length !== 4) {
    const expected = "[B, H, T, S]: batch, heads, queries, keys";
    const fix = "give the weights of `attentionWeights`, or of a trace.";
    checks(fn).refuse({ argument: "weights", received: shape, expected, fix }, ShapeError);
  }
  const [B, H, T, S] = shape as [number, number, number, number];
  const sums = new Array<number>(H).fill(0);
  let queries = 0;
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) {
      const query = S - T + t;
      const keys =
        query < from ? [] : Array.from({ length: S }, (_, s) => s).filter((s) => inPattern(query, s, b));
      if (keys.length === 0) continue;
      queries += 1;
      for (let h = 0; h < H; h++) for (const s of keys) sums[h]! += data[((b * H + h) * T + t) * S + s]!;
    }
  }
  if (queries === 0) {
    const received = `[${shape.join(", ")}], of which no query has a key to look at`;
    const expected = "a query that could show the pattern";
    checks(fn).refuse({ argument: "weights", received, expected, fix });
  }
  return tensor(
    sums.map((sum) => sum / queries),
    { shape: [H], dtype: weights.dtype === "float64" ? "float64" : "float32" }, // a fraction, also if the weights are integers
  );
}

/** The id of a token by batch and position, from ids `[S]` for the whole batch or `[B, S]` row-major. */
export function tokenIds(fn: string, ids: ArrayLike<number>, weights: Tensor) {
  const [B = 0, , , S = 0] = checkTensor(fn, "weights", weights).shape;
  const fix = "give the ids of all tokens that the weights are over, those in the cache included.";
  checks(fn).list({ ids }, "token ids", Number.isSafeInteger, fix);
  if (ids.length !== S && ids.length !== B * S) {
    const expected = `S = ${S} of them, one for each key, or B · S = ${B * S}`;
    checks(fn).refuse({ argument: "ids", received: `${ids.length} ids`, expected, fix });
  }
  return (batch: number, position: number): number =>
    ids[ids.length === S ? position : batch * S + position]!;
}

import { checks, ShapeError, type Checks } from "@qkv/core";
import { checkTensor, linear, tensor, type Tensor } from "@qkv/tensor";
import { bestIndices } from "../pipeline/best-indices.js";

/** A vector that was found. */
export type SearchHit = {
  /** Its row. */
  index: number;
  /** Its dot product with the query: the cosine, where both have length 1. */
  score: number;
};

/**
 * Finds the vectors that are most similar to each query, by their dot products with all of them.
 *
 * @param vectors - `[N, E]`: embeddings of what is searched, on the device that computes. Held there, they are not copied again.
 * @param queries - Embeddings of E numbers each, as `embed` returns them.
 * @param options - `topK`: number of vectors for each query. Default 10.
 * @returns For each query, the rows with the largest dot products, the largest first.
 * @throws {ShapeError} If a query has another length than the vectors.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { semanticSearch } from "@qkv/transformer";
 *
 * const vectors = tensor([[1, 0], [0, 1], [0.5, 0.5]]);
 * const [hits] = await semanticSearch(vectors, [Float32Array.of(0, 2)], { topK: 2 });
 * hits; // => [{ index: 1, score: 2 }, { index: 2, score: 1 }]
 * ```
 */
export async function semanticSearch(
  vectors: Tensor,
  queries: readonly ArrayLike<number>[],
  options?: { topK?: number },
): Promise<SearchHit[][]> {
  const check: Checks = checks("semanticSearch");
  const { shape, device } = checkTensor("semanticSearch", "vectors", vectors);
  if (shape.length !== 2) {
    const fix = "give one row for each text: `tensor(numbers, { shape: [texts, width] })`.";
    check.refuse({ argument: "vectors", received: shape, expected: "[N, E]", fix }, ShapeError);
  }
  const { topK = 10 } = check.options(options, ["topK"]);
  check.whole({ topK }, { min: 1, unit: "vectors" });
  const [N, E] = shape as [number, number];
  const isList = (query: unknown) => typeof (query as ArrayLike<number> | null)?.length === "number";
  check.list({ queries }, "embeddings", isList, "give what `embed` returns.");
  const wrong = queries.find(({ length }) => length !== E);
  if (wrong) {
    const fix = "embed queries by the model of the vectors, with the same `dimensions`.";
    const expected = `${E} numbers, as many as a vector has`;
    check.refuse({ argument: "queries", received: `${wrong.length} numbers`, expected, fix }, ShapeError);
  }
  if (queries.length === 0) return [];
  const flat = Float32Array.from(
    { length: queries.length * E },
    (_, i) => queries[Math.floor(i / E)]![i % E]!,
  );
  const products = device.scope(() => linear(tensor(flat, { shape: [queries.length, E], device }), vectors)); // [queries, N]
  const scores = (await products.read()) as Float32Array;
  return queries.map((_, q) => {
    const own = scores.subarray(q * N, (q + 1) * N);
    return bestIndices(own, topK).map((index) => ({ index, score: own[index]! }));
  });
}

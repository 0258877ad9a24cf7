import { checks, ShapeError, type Checks } from "@qkv/core";
import { checkTensor, js, linear, tensor, type Device, type Tensor } from "@qkv/tensor";
import { bestIndices } from "../pipeline/best-indices.js";

/** A search result. */
export type SearchHit = {
  /** Index of the vector. */
  index: number;
  /** Dot product with the query: the cosine similarity if both have norm 1. */
  score: number;
};

/**
 * Finds the vectors most similar to each query, by exhaustive search over dot products.
 *
 * @param vectors - Embeddings from `embed`, or a tensor `[N, E]` on the device that computes, which
 *   is not copied in each call.
 * @param queries - Embeddings with E dimensions, from `embed`.
 * @param options - `topK`: number of vectors for each query. Default 10.
 * @returns For each query, the vectors with the largest dot products, in descending order.
 * @throws {ShapeError} If a query has another length than the vectors.
 *
 * @example
 * ```ts
 * import { semanticSearch } from "@qkv/transformer";
 *
 * // const vectors = await embed(model, texts);
 * const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(0.5, 0.5)];
 * const [hits] = await semanticSearch(vectors, [Float32Array.of(0, 2)], { topK: 2 });
 * hits; // => [{ index: 1, score: 2 }, { index: 2, score: 1 }]
 * ```
 */
export async function semanticSearch(
  vectors: Tensor | readonly ArrayLike<number>[],
  queries: readonly ArrayLike<number>[],
  options?: { topK?: number },
): Promise<SearchHit[][]> {
  const check: Checks = checks("semanticSearch");
  const isEmbedding = (value: unknown) => typeof (value as ArrayLike<number> | null)?.length === "number";
  if (Array.isArray(vectors))
    check.list({ vectors }, "embeddings", isEmbedding, "give what `embed` returns.");
  const matrix = Array.isArray(vectors)
    ? embeddingMatrix(check, "vectors", vectors as readonly ArrayLike<number>[], js())
    : checkTensor("semanticSearch", "vectors", vectors);
  const { shape, device } = matrix;
  if (shape.length !== 2) {
    const fix = "give one row for each text: `tensor(values, { shape: [texts, width] })`.";
    check.refuse({ argument: "vectors", received: shape, expected: "[N, E]", fix }, ShapeError);
  }
  const { topK = 10 } = check.options(options, ["topK"]);
  check.whole({ topK }, { min: 1, unit: "vectors" });
  const [N, E] = shape as [number, number];
  check.list({ queries }, "embeddings", isEmbedding, "give what `embed` returns.");
  if (queries.length === 0) return [];
  if (N === 0) return queries.map(() => []);
  const products = device.scope(() => linear(embeddingMatrix(check, "queries", queries, device, E), matrix)); // [queries, N]
  const scores = (await products.read()) as Float32Array;
  return queries.map((_, q) => {
    const queryScores = scores.subarray(q * N, (q + 1) * N);
    return bestIndices(queryScores, topK).map((index) => ({ index, score: queryScores[index]! }));
  });
}

/** Embeddings as rows of a matrix. `width`: their dimension. Default: that of the first. */
function embeddingMatrix(
  check: Checks,
  argument: string,
  embeddings: readonly ArrayLike<number>[],
  device: Device,
  width = embeddings[0]?.length ?? 0,
): Tensor {
  const mismatched = embeddings.find(({ length }) => length !== width);
  if (mismatched) {
    const fix = "embed queries and vectors by one model, with the same `dimensions`.";
    const expected = `${width} dimensions, as many as a vector has`;
    check.refuse({ argument, received: `${mismatched.length} dimensions`, expected, fix }, ShapeError);
  }
  const values = new Float32Array(embeddings.length * width);
  embeddings.forEach((embedding, i) => values.set(embedding, i * width));
  return tensor(values, { shape: [embeddings.length, width], device });
}

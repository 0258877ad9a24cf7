import { randn, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { bestIndices } from "../pipeline/best-indices.js";
import { embeddingRanges, quantizeEmbeddings } from "./quantize-embeddings.js";
import { semanticSearch } from "./semantic-search.js";

test("results of each query equal those of sorting all dot products", async () => {
  const vectors = randn([50, 6], { seed: 1 });
  const rows = vectors.toNested() as number[][];
  const queries = (randn([3, 6], { seed: 2 }).toNested() as number[][]).map((row) => Float32Array.from(row));
  const hits = await semanticSearch(vectors, queries, { topK: 7 });
  queries.forEach((query, q) => {
    const scores = rows.map((row) => row.reduce((sum, x, i) => sum + x * query[i]!, 0));
    const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
    expect(hits[q]!.map(({ index }) => index)).toEqual(order.slice(0, 7));
    hits[q]!.forEach(({ index, score }) => expect(score).toBeCloseTo(scores[index]!, 5));
  });
  // Vectors as `embed` returns them.
  const list = rows.map((row) => Float32Array.from(row));
  expect(await semanticSearch(list, queries, { topK: 7 })).toEqual(hits);
  expect((await semanticSearch(vectors, [queries[0]!]))[0]).toHaveLength(10);
  expect((await semanticSearch(vectors, [queries[0]!], { topK: 99 }))[0]).toHaveLength(50);
  expect(await semanticSearch(vectors, [])).toEqual([]);
  expect(await semanticSearch([], queries)).toEqual([[], [], []]);
});

test("equal scores are returned in order of index", () => {
  expect(bestIndices([1, 3, 3, 2, 3], 3)).toEqual([1, 2, 4]);
  expect(bestIndices([1, 3, 3, 2, 3], 9)).toEqual([1, 2, 4, 3, 0]);
});

test("a query with another dimension, and a value that is not a matrix, are refused", async () => {
  const vectors = tensor([[1, 2]]);
  await expect(semanticSearch(vectors, [Float32Array.of(1)])).rejects.toThrow(
    /`queries` is "1 dimensions", expected 2 dimensions/,
  );
  const uneven = [Float32Array.of(1, 2), Float32Array.of(1)];
  await expect(semanticSearch(uneven, [])).rejects.toThrow(
    /`vectors` is "1 dimensions", expected 2 dimensions/,
  );
  await expect(semanticSearch(tensor([1]), [])).rejects.toThrow(/\[N, E\]/);
  await expect(semanticSearch(vectors, [], { topK: 0 })).rejects.toThrow(/`topK` is 0/);
});

const embeddings = [Float32Array.of(0, -1), Float32Array.of(1, 1), Float32Array.of(0.5, 0)];

test("int8 and uint8 quantization maps the range of each dimension to 256 levels", () => {
  expect(quantizeEmbeddings(embeddings, "uint8").map((vector) => [...vector])).toEqual([
    [0, 0],
    [255, 255],
    [127, 127],
  ]);
  expect(quantizeEmbeddings(embeddings, "int8").map((vector) => [...vector])).toEqual([
    [-128, -128],
    [127, 127],
    [0, 0],
  ]);
  const ranges = embeddingRanges(embeddings);
  expect([[...ranges.min], [...ranges.max]]).toEqual([
    [0, -1],
    [1, 1],
  ]);
  expect(quantizeEmbeddings([Float32Array.of(9, -9)], "int8", { ranges })[0]).toEqual(
    Int8Array.of(127, -128),
  );
});

test("binary quantization packs signs, the first in the highest bit", () => {
  const embedding = Float32Array.of(1, -1, 1, 1, -1, 0, -1, 1, -1, -1, -1, -1, -1, -1, -1, 1);
  expect(quantizeEmbeddings([embedding], "ubinary")[0]).toEqual(Uint8Array.of(0b10110001, 1));
  expect(quantizeEmbeddings([embedding], "binary")[0]).toEqual(Int8Array.of(0b10110001 - 128, -127));
});

test("embeddings of different lengths, lengths that 8 does not divide, and unknown precisions are refused", () => {
  expect(() => quantizeEmbeddings([...embeddings, Float32Array.of(1)], "int8")).toThrow(/of one length, 2/);
  expect(() => quantizeEmbeddings(embeddings, "binary")).toThrow(/as 8 does not divide the 2 dimensions/);
  expect(() => quantizeEmbeddings(embeddings, "int4" as never)).toThrow(/`precision` is "int4"/);
  expect(() => quantizeEmbeddings(embeddings, "int8", { ranges: { min: [0], max: [1] } })).toThrow(
    /2 dimensions/,
  );
});

import { induction, previousToken } from "@qkv/attention";
import { linear, matmul, mul, slice, tensor, transpose, type Tensor } from "@qkv/tensor";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import "@qkv/test-support/allclose";
import { decoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import { inFloat64, type LensModel } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";
import { scoreParts } from "../decompose/score-parts.js";
import { copyingScore, ovCircuit, qkCircuit } from "./circuits.js";
import { headScores } from "./head-scores.js";
import { singularVectors } from "./singular-vectors.js";

const model = inFloat64(randomDecoder("llama", { vocabSize: 13 } as never));
const { embedDim: C, numHeads: H } = model.config;
const D = C / H;
const exact = { rtol: 0, atol: 1e-10 };

test("headScores applies the score to the weights of each layer", () => {
  const ids = [3, 1, 4, 3, 1, 4];
  const { tensors } = runWithTrace(model, ids);
  for (const score of [previousToken, (weights: Tensor) => induction(weights, ids)]) {
    const { layers, values } = headScores(model, ids, score);
    expect(layers).toEqual([0, 1]);
    layers.forEach((layer, row) =>
      expect(slice(values, 0, row, row + 1).data).toBeAllclose(
        score(tensors[`layers.${layer}.attention.weights`]!).data,
        { rtol: 0, atol: 1e-6 },
      ),
    );
  }
});

test("the QK circuit has the scores of a one-layer model, at any distance", () => {
  const tokens = [5, 2, 7];
  for (const [distance, head] of [
    [1, 0],
    [3, 2],
  ] as const) {
    const circuit = qkCircuit(model, { layer: 0, head, tokens, distance });
    for (const [a, query] of tokens.entries())
      for (const [b, key] of tokens.entries()) {
        const text = [key, ...Array<number>(distance - 1).fill(0), query];
        const { dot } = scoreParts(model, text, { layer: 0, head, query: distance, key: 0 });
        expect(circuit.data[a * 3 + b]).toBeCloseTo(dot, 10);
      }
  }
});

test("the OV circuit is the embedding times the value, output and unembedding matrices", () => {
  const tokens = [5, 2, 7];
  const circuit = ovCircuit(model, { layer: 0, head: 3, tokens });
  const { params } = model;
  const { attention, attentionNorm } = params.layers[0]!;
  const { weight } = params.embedding;
  tokens.forEach((token, i) => {
    const row = slice(weight, 0, token, token + 1);
    const size = Math.sqrt(
      Array.from(row.data, Number).reduce((sum, x) => sum + x * x, 0) / C + model.config.normEps,
    );
    const read = mul(mul(row, 1 / size), attentionNorm.weight);
    const value = linear(read, slice(attention.value.weight, 0, D, 2 * D)); // heads 2 and 3 share the second
    const written = linear(value, slice(attention.output.weight, 1, 3 * D, 4 * D));
    const logits = linear(mul(written, params.norm.weight), params.output?.weight ?? weight);
    tokens.forEach((to, j) => expect(circuit.data[i * 3 + j]).toBeCloseTo(logits.data[to]!, 10));
  });
});

test("a head whose OV circuit is the identity copies every token, one with the opposite none", () => {
  const config = {
    vocabSize: 8,
    embedDim: 8,
    hiddenDim: 8,
    numLayers: 1,
    numHeads: 1,
    numKvHeads: 1,
    contextLength: 8,
    normEps: 1e-5,
    stopIds: [],
  };
  const { init, apply } = decoder(config);
  const params = init(1);
  const identity = (scale: number) =>
    tensor(
      Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? scale : 0)),
      { shape: [8, 8] },
    );
  params.embedding.weight = identity(1);
  const { attention } = params.layers[0]!;
  attention.value.weight = identity(1);
  const scored = (scale: number) => {
    attention.output.weight = identity(scale);
    return copyingScore({ config, params, apply }, { layer: 0, head: 0, tokens: [0, 3, 7], topK: 1 });
  };
  expect([scored(1), scored(-1)]).toEqual([1, 0]);
});

/** `W_O W_V` of a head, `[C, C]`. */
function ovMatrix({ params }: LensModel, layer: number, head: number): Tensor {
  const { value, output } = params.layers[layer]!.attention;
  const group = Math.floor(head / 2);
  return matmul(
    slice(output.weight, 1, head * D, head * D + D),
    slice(value.weight, 0, group * D, group * D + D),
  );
}

test("singular vectors are orthonormal, in order, and multiply to the OV matrix", () => {
  const { values, written, read } = singularVectors(model, { layer: 1, head: 2 });
  const scaled = mul(written, tensor([...values.data], { shape: [D, 1], dtype: "float64" }));
  expect(matmul(transpose(scaled), read)).toBeAllclose(ovMatrix(model, 1, 2), exact);
  const identity = Array.from({ length: D * D }, (_, i) => Number(i % (D + 1) === 0));
  for (const x of [written, read]) expect(matmul(x, transpose(x)).data).toBeAllclose(identity, exact);
  expect([...values.data]).toEqual([...values.data].sort((a, b) => b - a));
});

test("heads and tokens out of range are refused", () => {
  expect(() => ovCircuit(model, { layer: 0, head: 4, tokens: [1] })).toThrow(/ovCircuit: `head` is 4/);
  expect(() => qkCircuit(model, { layer: 0, head: 0, tokens: [13] })).toThrow(/qkCircuit: `tokens` is 13/);
  expect(() => singularVectors(model, { layer: 2, head: 0 })).toThrow(/singularVectors: `layer` is 2/);
  expect(() => headScores(model, [1, 2], 3 as never)).toThrow(/headScores: `score` is 3/);
});

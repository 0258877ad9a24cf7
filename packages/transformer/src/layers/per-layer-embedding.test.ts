import { add, embedding, linear, mul, randn, reshape, rmsNorm, silu, slice, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { perLayerEmbedding } from "./per-layer-embedding.js";

const [T, C, P, L] = [3, 8, 4, 2];
const sizes = { embedDim: C, dim: P, numLayers: L, activation: "silu", norm: "rms", eps: 1e-6 } as const;
const close = { rtol: 0, atol: 1e-5 };
const x = randn([1, T, C], { seed: 1 });

test("the input of each layer is its slice of the table row plus its slice of the projected embedding, over √2", () => {
  const part = perLayerEmbedding({ ...sizes, rows: { table: 7, vocabulary: 7 } });
  const params = { ...part.init(2), norm: { weight: randn([P], { seed: 5 }) } };
  const ids = tensor([[6, 0, 3]], { dtype: "int32" });
  const inputs = part.inputs(params, ids, x);
  expect(inputs.map(({ shape }) => shape)).toEqual([
    [1, T, P],
    [1, T, P],
  ]);
  const projected = reshape(mul(linear(x, params.projection.weight), 1 / Math.sqrt(C)), [1, T, L, P]);
  const rows = reshape(embedding(params.embedding.weight, ids), [1, T, L, P]);
  const sum = add(rmsNorm(projected, params.norm.weight, { eps: 1e-6 }), mul(rows, Math.sqrt(P)));
  inputs.forEach((input, i) => {
    const expected = slice(mul(sum, Math.SQRT1_2), 2, i, i + 1);
    expect(input.data).toBeAllclose(expected.data, close);
  });
});

test("an id outside the table uses row 0", () => {
  const part = perLayerEmbedding({ ...sizes, rows: { table: 5, vocabulary: 7 } });
  const params = part.init(2);
  const layerInput = (ids: number[]) => part.inputs(params, tensor([ids], { dtype: "int32" }), x)[1]!.data;
  expect(layerInput([6, 5, 4])).toEqual(layerInput([0, 0, 4]));
  expect(layerInput([6, 5, 4])).not.toEqual(layerInput([0, 0, 3]));
});

test("apply gates the input by the residual, projects and normalizes it", () => {
  const part = perLayerEmbedding({ ...sizes, rows: { table: 7, vocabulary: 7 } });
  const { gate, projection, norm } = { ...part.initLayer(2), norm: { weight: randn([C], { seed: 5 }) } };
  const input = randn([1, T, P], { seed: 8 });
  const gated = mul(silu(linear(x, gate.weight)), input);
  const expected = rmsNorm(linear(gated, projection.weight), norm.weight, { eps: 1e-6 });
  expect(part.apply({ gate, projection, norm }, x, input).data).toBeAllclose(expected.data, close);
});

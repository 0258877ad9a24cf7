import { linear, randn, slice, tensor, transpose } from "@qkv/tensor";
import { expect, test } from "vitest";
import { fromConv1D, fusedPerHead, splitFused, stacked } from "./row-map.js";

const x = randn([3, 5], { seed: 1 });
const fused = { weight: randn([24, 5], { seed: 2 }), bias: randn([24], { seed: 3 }) };
const fusedOutput = linear(x, fused.weight, fused.bias); // [3, 24]

test("the outputs of split projections equal columns of the fused projection's output, bit for bit", () => {
  const [query, key, value] = splitFused(fused, stacked([12, 8, 4]));
  const outputs = [query, key, value].map((part) => linear(x, part!.weight, part!.bias));
  expect(outputs[0]!.data).toEqual(slice(fusedOutput, 1, 0, 12).data);
  expect(outputs[1]!.data).toEqual(slice(fusedOutput, 1, 12, 20).data);
  expect(outputs[2]!.data).toEqual(slice(fusedOutput, 1, 20, 24).data);
});

test("fusedPerHead splits a projection that is fused per head into query, key and value", () => {
  const map = fusedPerHead({ numHeads: 2, headDim: 4 });
  const parts = splitFused(fused, map).map((part) => linear(x, part.weight, part.bias));
  // Each head has 12 columns of the fused output: [query | key | value], 4 each.
  for (let head = 0; head < 2; head++) {
    parts.forEach((part, n) => {
      const from = head * 12 + n * 4;
      expect(slice(part, 1, head * 4, head * 4 + 4).data).toEqual(slice(fusedOutput, 1, from, from + 4).data);
    });
  }
});

test("a Conv1D weight is transposed to a linear weight without a copy", () => {
  const stored = { weight: randn([5, 24], { seed: 4 }), bias: fused.bias };
  const { weight, bias } = fromConv1D(stored);
  expect(weight.storage).toBe(stored.weight.storage);
  expect(linear(x, weight, bias).data).toEqual(
    linear(x, tensor(transpose(stored.weight).data, { shape: [24, 5] }), bias).data,
  );
  expect(() => fromConv1D({ weight: tensor([1]) })).toThrow(
    /fromConv1D: `weight` has shape \[1\], expected \[in, out\]/,
  );
});

test("parts whose sizes do not sum to the number of rows are refused", () => {
  expect(() => splitFused(fused, stacked([12, 8]))).toThrow(
    /splitFused: `weight` has shape \[24, 5\], expected \[20, in\], as the parts have 12, 8 rows/,
  );
});

test("fusedPerHead with fewer key-value heads maps the queries of a group, then its key and its value", () => {
  const { sizes, to } = fusedPerHead({ numHeads: 4, numKvHeads: 2, headDim: 1 });
  expect(sizes).toEqual([4, 2, 2]);
  const rows = [0, 1, 2, 3, 4, 5, 6, 7].map(to);
  expect(rows).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [2, 0],
    [0, 2],
    [0, 3],
    [1, 1],
    [2, 1],
  ]);
  expect(() => fusedPerHead({ numHeads: 4, numKvHeads: 3, headDim: 1 })).toThrow(/numKvHeads/);
});

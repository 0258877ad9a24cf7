import { randn, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { feedForward } from "./feed-forward.js";
import { gaussianTopK } from "./gaussian-top-k.js";

test("golden: relu(x − (μ + σ · Φ⁻¹(sparsity))), by hand", () => {
  // [0, 0, 0, 4] has the mean 1 and the standard deviation √3. Φ⁻¹(0.5) = 0, and Φ⁻¹(0.841344746) = 1.
  const gates = tensor([[0, 0, 0, 4]], { dtype: "float64" });
  expect(gaussianTopK(0.5)(gates).toNested()).toEqual([[0, 0, 0, 3]]);
  const [largest] = (gaussianTopK(0.841344746068543)(gates).toNested() as number[][]).map((row) => row[3]!);
  expect(largest).toBeCloseTo(3 - Math.sqrt(3), 9);
});

test("for normally distributed inputs, the fraction of zeros is the sparsity", () => {
  const zeros = (sparsity: number) =>
    gaussianTopK(sparsity)(randn([20, 2000], { seed: 4 })).data.filter((x) => x === 0).length / 40_000;
  for (const sparsity of [0.2, 0.5, 0.95]) expect(zeros(sparsity)).toBeCloseTo(sparsity, 2);
});

test("a feed-forward layer applies `sparsity` to its gates, and refuses invalid values", () => {
  const sizes = { embedDim: 6, hiddenDim: 40, activation: "relu" } as const;
  const [dense, sparse] = [feedForward(sizes), feedForward({ ...sizes, sparsity: 0.9 })];
  const params = dense.init(3);
  const x = randn([1, 5, 6], { seed: 1 });
  expect(sparse.apply(params, x).data).not.toEqual(dense.apply(params, x).data);
  expect(feedForward({ ...sizes, sparsity: 0 }).apply(params, x).data).toEqual(dense.apply(params, x).data);
  for (const sparsity of [-0.1, 1, NaN])
    expect(() => feedForward({ ...sizes, sparsity })).toThrow(/feedForward: `sparsity` is/);
  expect(() => feedForward({ ...sizes, sparsity: 0.5, gated: false })).toThrow(
    /`sparsity` is 0.5, expected 0, as the layer is not gated/,
  );
});

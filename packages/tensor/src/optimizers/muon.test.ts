import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { tensor, zeros } from "../create.js";
import { matmul } from "../ops/matmul.js";
import { mul } from "../ops/mul.js";
import { transpose } from "../ops/transpose.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { adamW } from "./adam.js";
import { muon, orthogonalize } from "./muon.js";
import { paramGroups } from "./param-groups.js";

const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

/** An orthonormal basis of the columns, by Gram and Schmidt. */
function basis(n: number, seed: number): number[][] {
  const vectors: number[][] = [];
  for (const row of random([n, n], seed).toNested() as number[][]) {
    for (const other of vectors) {
      const along = row.reduce((sum, value, i) => sum + value * other[i]!, 0);
      other.forEach((value, i) => (row[i]! -= along * value));
    }
    const length = Math.hypot(...row);
    vectors.push(row.map((value) => value / length));
  }
  return vectors;
}

test("property: orthogonalization brings singular values near 1, and preserves singular vectors", () => {
  const value = fc.double({ min: 0.2, max: 5, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 2, maxLength: 4 }), fc.nat(1000), (values, seed) => {
      const n = values.length;
      const [left, right] = [basis(n, seed), basis(n, seed + 1)].map((rows) =>
        tensor(rows, { dtype: "float64" }),
      ) as [Tensor, Tensor];
      const diagonal = tensor(
        values.map((size, i) => values.map((_, j) => (i === j ? size : 0))),
        { dtype: "float64" },
      );
      const x = matmul(matmul(transpose(left), diagonal), right);
      const seen = matmul(matmul(left, orthogonalize(x)), transpose(right)).toNested() as number[][];
      seen.forEach((row, i) =>
        row.forEach((found, j) => {
          if (i !== j) expect(found).toBeCloseTo(0, 6);
          else expect(Math.abs(found - 0.95)).toBeLessThan(0.3);
        }),
      );
    }),
    { numRuns: 30 },
  );
});

test("property: orthogonalize does not depend on the magnitude of a matrix, and of a transposed matrix it is the transposed result", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0.01, max: 100, noNaN: true }), (seed, scale) => {
      const x = random([5, 3], seed);
      const expected = orthogonalize(x);
      expect(orthogonalize(mul(x, scale))).toBeAllclose(expected, { rtol: 0, atol: 1e-4 });
      expect(transpose(orthogonalize(transpose(x)))).toBeAllclose(expected, { rtol: 0, atol: 1e-12 });
    }),
  );
});

test("a step changes a matrix by about the learning rate in every singular direction", () => {
  const params = { w: zeros([4, 4]) };
  const optimizer = muon({ learningRate: 0.1 });
  const gradient = tensor([
    [1, 0, 0, 0],
    [0, 100, 0, 0],
    [0, 0, 10, 0],
    [0, 0, 0, 20],
  ]);
  optimizer.update(params, { w: gradient }, optimizer.init(params));
  const moved = params.w.toNested() as number[][];
  for (let i = 1; i < 4; i++) {
    expect(moved[i]![i]).toBeLessThan(-0.06);
    expect(moved[i]![i]).toBeGreaterThan(-0.13);
  }
});

test("params that are not matrices are refused before any change, and paramGroups gives them to AdamW", () => {
  const params = { weight: tensor([[1, 2]]), bias: tensor([1]) };
  expect(() => muon().init(params)).toThrow(
    /^muon: `params` has shape \[1\], expected matrices: two axes or more.\nFix: give norms and biases to `adamW`/,
  );
  const optimizer = paramGroups([{ params: (_, { shape }) => shape.length > 1, optimizer: muon() }], adamW());
  const state = optimizer.init(params);
  optimizer.update(params, { weight: tensor([[1, 1]]), bias: tensor([1]) }, state);
  expect(params.bias.data[0]).toBeLessThan(1);
  expect(params.weight.data[0]).toBeLessThan(1);
  expect(() => orthogonalize(tensor([1]))).toThrow(/`x` has shape \[1\], expected \[…, rows, columns\]/);
  expect(() => muon({ momentum: 1 })).toThrow(/`momentum` is 1/);
  expect(() => muon({ lr: 1 } as never)).toThrow(/`lr` is 1/);
});

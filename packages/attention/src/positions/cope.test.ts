import { checkGradient, matmul, mul, randn, sum, transpose, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { cope } from "./cope.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: with all gates 1, it is a learned embedding of the distance, with index i − j + 1", () => {
  const [q, table] = [make([1, 2, 4, 3], 1), make([6, 3], 2)];
  const byPlace = matmul(q, transpose(table)).data; // [1, 2, 4, 6]
  // Scores of 50 open each gate to 1.
  const fifty = make([1, 1, 4, 4], 3);
  fifty.data.fill(50);
  const { scores } = plainAttention(q, q, q, {
    mask: causal(),
    forms: [{ name: "fifty", scores: () => fifty }, cope(table)],
  });
  scores.data.forEach((score, n) => {
    const [row, query, key] = [Math.floor(n / 4), Math.floor(n / 4) % 4, n % 4];
    if (key <= query) expect(score).toBeCloseTo(50 + byPlace[row * 6 + query - key + 1]!, 9);
  });
});

test("property: a table of zeros changes nothing", () => {
  const x = make([1, 2, 4, 3], 1);
  const options = { mask: causal(), forms: [cope(zeros([3, 3], { dtype: "float64" }))] };
  expect(plainAttention(x, x, x, options).output.data).toEqual(
    plainAttention(x, x, x, { mask: causal() }).output.data,
  );
});

test("gradients of the table, queries, keys and values equal central differences", () => {
  const given = { q: make([1, 2, 4, 2], 1), k: make([1, 2, 4, 2], 2), table: make([6, 2], 3) };
  const dy = make([1, 2, 4, 2], 4);
  checkGradient(
    ({ q, k, table }) =>
      sum(mul(plainAttention(q, k, k, { mask: causal(), forms: [cope(table)] }).output, dy)),
    given,
  );
});

test("a table of another width is refused", () => {
  expect(() => cope(zeros([3]))).toThrow(/cope: `table` has shape \[3\], expected \[P, D\]/);
  const x = zeros([1, 1, 2, 4]);
  expect(() => plainAttention(x, x, x, { forms: [cope(zeros([3, 2]))] })).toThrow(/expected \[P, D = 4\]/);
});

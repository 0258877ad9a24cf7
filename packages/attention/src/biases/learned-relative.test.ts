import { checkGradient, mul, randn, sum, tensor, zeros, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, tracedAttention } from "../attention.js";
import { alibi, alibiSlopes } from "./alibi.js";
import { learnedRelative } from "./learned-relative.js";

const dtype = fc.constantFrom("float32", "float64");

test("property: the table entry of the clipped distance is added to a score", () => {
  fc.assert(
    fc.property(fc.nat(4), dtype, fc.nat(1000), (farthest, dtype, seed) => {
      const [T, S] = [3, 7];
      const table = randn([2 * farthest + 1, 2], { seed, dtype });
      const [query, key] = [T, S].map((length) => zeros([1, 2, length, 2], { dtype }));
      const bias = learnedRelative(table);
      const { scores } = tracedAttention(query!, key!, key!, { bias }, ["scores"]);
      scores.data.forEach((score, n) => {
        const [s, t, h] = [n % S, Math.floor(n / S) % T, Math.floor(n / (S * T))];
        const distance = Math.max(-farthest, Math.min(farthest, s - (S - T + t)));
        expect(score).toBe(table.data[(farthest + distance) * 2 + h]);
      });
    }),
  );
});

test("a table with ALiBi's biases equals ALiBi, and a table of zeros changes nothing", () => {
  const x = randn([1, 4, 5, 3], { seed: 1, dtype: "float64" });
  const slopes = alibiSlopes(4);
  const table = tensor(
    Array.from({ length: 9 }, (_, row) => slopes.map((slope) => -slope * Math.abs(row - 4))),
    { dtype: "float64" },
  );
  expect(attention(x, x, x, { bias: learnedRelative(table) }).data).toEqual(
    attention(x, x, x, { bias: alibi(4) }).data,
  );
  const nothing = learnedRelative(zeros([3, 4], { dtype: "float64" }));
  expect(attention(x, x, x, { bias: nothing }).data).toEqual(attention(x, x, x).data);
});

test("gradients reach the table", () => {
  const [query, key, value, dy] = [1, 2, 3, 4].map((seed) =>
    randn([1, 2, 5, 3], { seed, dtype: "float64" }),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const table = randn([5, 2], { seed: 5, dtype: "float64" });
  checkGradient(
    (table) => sum(mul(attention(query, key, value, { bias: learnedRelative(table) }), dy)),
    table,
  );
});

test("tables that do not fit are refused, with the fix", () => {
  for (const shape of [[4, 2], [3], [0, 2], [3, 0], [1, 3, 2]]) {
    expect(() => learnedRelative(zeros(shape))).toThrow(
      /learnedRelative: `table` has shape .*, expected \[2 K \+ 1, H\].\nFix: give an odd number of rows/,
    );
  }
  const x = randn([1, 4, 2, 2], { seed: 1 });
  expect(() => attention(x, x, x, { bias: learnedRelative(zeros([3, 2])) })).toThrow(
    /`bias` is "learnedRelative\(\[3, 2\]\)", expected numbers for numHeads = 4, and it has them for 2/,
  );
});

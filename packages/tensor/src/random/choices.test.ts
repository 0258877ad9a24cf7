import { expect, test } from "vitest";
import { tensor, zeros } from "../create.js";
import { broadcastTo } from "../ops/broadcast-to.js";
import { mul } from "../ops/mul.js";
import { softmax } from "../ops/softmax.js";
import { transpose } from "../ops/transpose.js";
import { bernoulli } from "./bernoulli.js";
import { categorical } from "./categorical.js";
import { permutation } from "./permutation.js";

/** Five standard errors around a share of n. */
const near = (count: number, share: number, n: number) =>
  expect(Math.abs(count / n - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / n) + 1e-12);

test("bernoulli is true with the given probability", () => {
  const n = 50_000;
  for (const probability of [0, 0.1, 0.5, 1]) {
    const x = bernoulli([n], { seed: 1, probability });
    expect(x.dtype).toBe("bool");
    near(
      [...x.data].reduce((a, b) => a + b, 0),
      probability,
      n,
    );
  }
  expect(bernoulli([6], { seed: 1, first: 4 }).data).toEqual(bernoulli([10], { seed: 1 }).data.slice(4));
  expect(() => bernoulli([1], { seed: 1, probability: 50 })).toThrow(
    /`probability` is 50, expected a number from 0/,
  );
});

test("categorical draws each class with its softmax probability", () => {
  const n = 50_000;
  const logits = tensor([0.5, -1, 2, -Infinity, 0]);
  const choices = categorical(broadcastTo(logits, [n, 5]), { seed: 2 });
  expect([choices.shape, choices.dtype]).toEqual([[n], "int32"]);
  softmax(logits).data.forEach((share, index) => {
    near([...choices.data].filter((choice) => choice === index).length, share, n);
  });
});

test("categorical accepts views, and each row has its own random numbers", () => {
  const sure = mul(
    tensor([
      [1, 0],
      [0, 1],
      [0, 1],
    ]),
    1e9,
  ); // [V=3, 2] the other way round
  expect(categorical(transpose(sure), { seed: 1 }).data[0]).toBe(0);
  const rows = categorical(zeros([100, 4]), { seed: 9 }).data;
  expect(new Set(rows).size).toBe(4);
  expect(categorical(zeros([4]), { seed: 9, draw: 1 }).shape).toEqual([]);
});

test("categorical refuses rows without a finite logit", () => {
  const masked = tensor([
    [0, 1],
    [-Infinity, -Infinity],
  ]);
  expect(() => categorical(masked, { seed: 1 })).toThrow(
    'categorical: `logits` is "row 1, without a number above -∞", expected a class that can be chosen in each row.',
  );
  expect(() => categorical(tensor([NaN, NaN]), { seed: 1 })).toThrow(/row 0/);
  expect(() => categorical(zeros([]), { seed: 1 })).toThrow(/`logits` has shape \[\], expected \[…, V\]/);
  expect(() => categorical(zeros([2], { dtype: "int32" }), { seed: 1 })).toThrow(
    /expected float32 or float64/,
  );
});

test("permutation contains each number once, and all orders are equally likely", () => {
  const x = permutation(1000, { seed: 3 });
  expect(x.dtype).toBe("int32");
  expect([...x.data].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  const n = 12_000;
  const counts = new Map<string, number>();
  for (let seed = 0; seed < n; seed++) {
    const order = permutation(3, { seed }).data.join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) near(count, 1 / 6, n);
  expect(permutation(0, { seed: 1 }).shape).toEqual([0]);
  expect(() => permutation(-1, { seed: 1 })).toThrow(/permutation: `n` is -1/);
});

import { abs, checkGradient, full, mul, neg, randn, slice, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, tracedAttention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { alibi } from "./alibi.js";
import { forgetting } from "./forgetting.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const gates = (shape: number[], seed: number) => neg(abs(make(shape, seed)));
const mask = causal();

test("property: the log gates after the key up to the query are added to a score", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1e6), (T, seed) => {
      const x = zeros([2, 2, T, 2], { dtype: "float64" });
      const logGates = gates([2, 2, T], seed);
      const { scores } = tracedAttention(x, x, x, { mask, bias: forgetting(logGates) }, ["scores"]);
      scores.data.forEach((score, i) => {
        const [row, query, key] = [Math.floor(i / (T * T)), Math.floor(i / T) % T, i % T];
        if (key > query) return;
        const own = [...logGates.data].slice(row * T, row * T + T);
        expect(score).toBeCloseTo(
          own.slice(key + 1, query + 1).reduce((a, b) => a + b, 0),
          10,
        );
      });
    }),
  );
});

test("property: gates of 1 change nothing, and a constant gate f equals ALiBi with the slope −ln f", () => {
  const [x, f] = [make([1, 2, 5, 4], 1), 0.7];
  const open = attention(x, x, x, { mask, bias: forgetting(zeros([1, 2, 5], { dtype: "float64" })) });
  expect(open.data).toEqual(attention(x, x, x, { mask }).data);
  const constant = forgetting(full([1, 2, 5], Math.log(f), { dtype: "float64" }));
  const slopes = full([2], -Math.log(f), { dtype: "float64" });
  expect(attention(x, x, x, { mask, bias: constant })).toBeAllclose(
    attention(x, x, x, { mask, bias: alibi(slopes) }),
    {
      rtol: 1e-11,
      atol: 1e-12,
    },
  );
});

test("property: decoding the last token gives the last row", () => {
  const [x, bias] = [make([2, 2, 5, 4], 1), forgetting(gates([2, 2, 5], 2))];
  const whole = attention(x, x, x, { mask, bias });
  expect(attention(slice(x, 2, 4), x, x, { mask, bias })).toBeAllclose(slice(whole, 2, 4), { rtol: 1e-12 });
});

test("gradients of gates, queries, keys and values equal central differences, and the tiled version equals the plain one", () => {
  const given = { x: make([1, 2, 4, 2], 1), logGates: gates([1, 2, 4], 2) };
  const dy = make([1, 2, 4, 2], 3);
  checkGradient(
    ({ x, logGates }) => sum(mul(attention(x, x, x, { mask, bias: forgetting(logGates) }), dy)),
    given,
  );
  const options = { mask, bias: forgetting(given.logGates) };
  const { output } = plainAttention(given.x, given.x, given.x, options);
  expect(attention(given.x, given.x, given.x, options)).toBeAllclose(output, { rtol: 1e-12 });
});

test("gates of another shape, and calls with other sizes, are refused with the fix", () => {
  expect(() => forgetting(zeros([2, 3]))).toThrow(
    /forgetting: `logGates` has shape \[2, 3\], expected \[B, H, S\].\nFix: give the logarithm of a gate/,
  );
  const x = zeros([2, 2, 4, 2]);
  const call = (shape: number[]) => () => attention(x, x, x, { mask, bias: forgetting(zeros(shape)) });
  expect(call([2, 1, 4])).toThrow(/expected numbers for numHeads = 2, and it has them for 1/);
  expect(call([3, 2, 4])).toThrow(/expected numbers for B = 2, and it has them for 3/);
  expect(call([2, 2, 3])).toThrow(/expected numbers for S = 4, and it has them for 3/);
  expect(call([1, 2, 4])).not.toThrow();
});

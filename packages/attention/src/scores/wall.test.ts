import {
  abs,
  add,
  broadcastTo,
  checkGradient,
  expandDims,
  log,
  mul,
  neg,
  randn,
  slice,
  sum,
  zeros,
} from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { forgetting } from "../biases/forgetting.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { wall } from "./wall.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const decay = (shape: number[], seed: number) => neg(abs(make(shape, seed)));

test("property: without decay, it equals softmax attention", () => {
  const [q, k] = [make([1, 2, 4, 3], 1), make([1, 1, 6, 3], 2)];
  const forms = [wall(zeros([1, 2, 6, 3], { dtype: "float64" }))];
  expect(plainAttention(q, k, k, { mask: causal(), forms }).output).toBeAllclose(
    attention(q, k, k, { mask: causal() }),
    {
      rtol: 1e-12,
    },
  );
});

test("property: a decay shared by all channels multiplies the dot product", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1e6), (T, seed) => {
      const x = make([1, 1, T, 3], seed);
      const shared = decay([1, 1, T], seed + 1);
      const forms = [wall(broadcastTo(expandDims(shared, 3), [1, 1, T, 3]))];
      const plain = plainAttention(x, x, x, { mask: causal() }).scores.data;
      plainAttention(x, x, x, { mask: causal(), forms }).scores.data.forEach((score, i) => {
        const [query, key] = [Math.floor(i / T), i % T];
        if (key > query) return;
        const between = [...shared.data].slice(key + 1, query + 1).reduce((a, b) => a + b, 0);
        expect(score).toBeCloseTo(plain[i]! * Math.exp(between), 10);
      });
    }),
  );
});

test("property: scalar gates are added as the forgetting bias; without decay per channel, this is FoX", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1e6), (T, seed) => {
      const [x, gates] = [make([1, 2, T, 3], seed), decay([1, 2, T], seed + 1)];
      const options = { mask: causal(), bias: forgetting(gates) };
      const forms = [wall(zeros([1, 2, T, 3], { dtype: "float64" }))];
      const { output } = plainAttention(x, x, x, { ...options, forms });
      expect(output).toBeAllclose(attention(x, x, x, options), { rtol: 1e-12, atol: 1e-12 });
    }),
  );
});

test("property: a gate shared by all channels adds the forgetting bias to the logarithms of positive scores", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1e6), (T, seed) => {
      const [x, gates] = [abs(make([1, 2, T, 3], seed)), decay([1, 2, T], seed + 1)];
      const mask = causal();
      const forms = [wall(broadcastTo(expandDims(gates, 3), [1, 2, T, 3]))];
      const walled = log(plainAttention(x, x, x, { mask, forms }).scores);
      // FoX on zeros: its scores are its bias.
      const bias = plainAttention(mul(x, 0), x, x, { mask, bias: forgetting(gates) }).scores;
      const expected = add(log(plainAttention(x, x, x, { mask }).scores), bias).data;
      walled.data.forEach((score, i) => {
        if (i % T <= Math.floor(i / T) % T) expect(score).toBeCloseTo(expected[i]!, 10);
      });
    }),
  );
});

test("property: a call with only the last queries gives the last rows", () => {
  const [x, g] = [make([1, 2, 5, 3], 1), decay([1, 2, 5, 3], 2)];
  const options = { mask: causal(), forms: [wall(g)] };
  const whole = plainAttention(x, x, x, options).output;
  expect(plainAttention(slice(x, 2, 3), x, x, options).output).toBeAllclose(slice(whole, 2, 3), {
    rtol: 1e-12,
  });
});

test("strong decay gives 0, not NaN", () => {
  const x = make([1, 1, 4, 2], 1);
  const g = zeros([1, 1, 4, 2], { dtype: "float64" });
  g.data.fill(-1e6);
  const { output } = plainAttention(x, x, x, { mask: causal(), forms: [wall(g)] });
  for (const y of output.data) expect(y).not.toBeNaN();
});

test("gradients of the decay, queries, keys and values equal central differences", () => {
  const shape = [1, 2, 3, 2];
  const given = { q: make(shape, 1), k: make(shape, 2), v: make(shape, 3), g: decay(shape, 4) };
  const dy = make(shape, 5);
  checkGradient(
    ({ q, k, v, g }) => sum(mul(plainAttention(q, k, v, { mask: causal(), forms: [wall(g)] }).output, dy)),
    given,
  );
});

test("a decay per head is refused, with the fix to use a bias", () => {
  const x = zeros([1, 2, 3, 4]);
  expect(() => plainAttention(x, x, x, { forms: [wall(zeros([1, 2, 3]))] })).toThrow(
    /wall: `logDecay` has shape \[1, 2, 3\], expected \[B, H, S, D\] = \[1, 2, 3, 4\]/,
  );
});

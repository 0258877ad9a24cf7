import { abs, exp, neg, ones, randn, sum, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { logLinearAttention } from "./log-linear-attention.js";
import { mix } from "./mix.js";
import { simpleGla } from "./simple-gla.js";

const [B, H, T, K, V, L] = [1, 2, 13, 3, 2, 5];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const inputs = {
  query: random([B, H, T, K], 1),
  key: random([B, H, T, K], 2),
  value: random([B, H, T, V], 3),
  decay: neg(abs(random([B, H, T], 4))),
};
const near = (a: Tensor, b: Tensor) => a.data.forEach((x, i) => expect(x).toBeCloseTo(b.data[i]!, 10));

test.each([1, 2, 4, 64])(
  "all level weights 1: linear attention with a decay, in chunks of %i",
  (chunkSize) => {
    const levelWeights = ones([B, H, T, L], { dtype: "float64" });
    const { output, state } = mix(logLinearAttention({ chunkSize }), { ...inputs, levelWeights });
    const linear = mix(simpleGla(), inputs, { scale: 1 });
    near(output, linear.output);
    near(sum(state.levels, { axis: 2 }), linear.state);
  },
);

test("property: a key has the weight of its level, by a greedy division of the earlier tokens into blocks", () => {
  const levelWeights = exp(random([B, H, T, L], 5));
  const { output } = mix(logLinearAttention({ chunkSize: 4 }), { ...inputs, levelWeights });
  const at = (x: Tensor, h: number, t: number) => {
    const width = x.shape[3] ?? 1;
    return [...x.data.slice((h * T + t) * width, (h * T + t + 1) * width)];
  };
  for (let h = 0; h < H; h++) {
    for (let i = 0; i < T; i++) {
      // 13 = 8 + 4 + 1: the largest power of 2 first.
      const levels: number[] = [];
      for (let left = i; left > 0;) {
        const bit = Math.floor(Math.log2(left));
        levels.push(...Array<number>(2 ** bit).fill(bit + 1));
        left -= 2 ** bit;
      }
      levels.push(0);
      const expected = [0, 0];
      levels.forEach((level, j) => {
        const dot = at(inputs.query, h, i).reduce((total, q, c) => total + q * at(inputs.key, h, j)[c]!, 0);
        let logDecay = 0;
        for (let l = j + 1; l <= i; l++) logDecay += at(inputs.decay, h, l)[0]!;
        const weight = dot * Math.exp(logDecay) * at(levelWeights, h, i)[level]!;
        expected.forEach((_, v) => (expected[v]! += weight * at(inputs.value, h, j)[v]!));
      });
      at(output, h, i).forEach((x, v) => expect(x).toBeCloseTo(expected[v]!, 10));
    }
  }
});

test("after 13 = 8 + 4 + 1 tokens, exactly the states of these block sizes are not zero", () => {
  const levelWeights = ones([B, H, T, L], { dtype: "float64" });
  const { state } = mix(logLinearAttention(), { ...inputs, levelWeights });
  const size = K * V;
  const isZero = (b: number) => state.levels.data.slice(b * size, (b + 1) * size).every((x) => x === 0);
  expect([0, 1, 2, 3].map(isZero)).toEqual([false, true, false, false]);
  expect([...state.tokens.data]).toEqual(new Array(B).fill(T));
});

test("too few levels, a size that is not a power of 2, and a state with other levels are refused", () => {
  const levelWeights = ones([B, H, T, 4], { dtype: "float64" });
  expect(() => mix(logLinearAttention(), { ...inputs, levelWeights })).toThrow(
    /logLinearAttention: `levelWeights` is "4 levels for 13 tokens", expected 5 levels or more.\nFix: give L = ⌈log₂ T⌉ \+ 1/,
  );
  expect(() => logLinearAttention({ chunkSize: 6 })).toThrow(
    /`chunkSize` is 6, expected a power of 2, 1 or more/,
  );
  const { state } = mix(logLinearAttention(), {
    ...inputs,
    levelWeights: ones([B, H, T, 5], { dtype: "float64" }),
  });
  const more = { ...inputs, levelWeights: ones([B, H, T, 6], { dtype: "float64" }) };
  expect(() => mix(logLinearAttention(), more, { initialState: state })).toThrow(
    /`initialState.levels` .*expected 5 states, as `levelWeights` has 6 levels/,
  );
});

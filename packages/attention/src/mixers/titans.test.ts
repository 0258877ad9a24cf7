import { full, matmul, randn, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { mix } from "./mix.js";
import { titans } from "./titans.js";

const [B, H, T, K] = [1, 2, 6, 3];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const rate = (value: number) => full([B, H, T], value, { dtype: "float64" });
const inputs = {
  query: random([B, H, T, K], 1),
  key: random([B, H, T, K], 2),
  value: random([B, H, T, K], 3),
  learningRate: rate(0.1),
  forget: rate(0.2),
  momentum: rate(0.5),
  normWeight: random([H, K], 4),
  normBias: random([H, K], 5),
};
const initialState = {
  memory: random([B, H, K, K], 6),
  momentum: random([B, H, K, K], 7),
  chunkStart: random([B, H, K, K], 8),
  tokens: zeros([B], { dtype: "float64" }),
};
const near = (a: Tensor, b: readonly number[]) => {
  expect(a.data.length).toBe(b.length);
  a.data.forEach((x, i) => expect(x).toBeCloseTo(b[i]!, 10));
};

test("with a learning rate, forgetting and momentum of 0, the memory does not change", () => {
  const frozen = { ...inputs, learningRate: rate(0), forget: rate(0), momentum: rate(0) };
  const { state } = mix(titans({ chunkSize: 4 }), frozen, { initialState });
  near(state.memory, [...initialState.memory.data]);
});

test("with a learning rate of 0, memory and momentum follow the two recurrences", () => {
  const { state } = mix(titans({ chunkSize: 4 }), { ...inputs, learningRate: rate(0) }, { initialState });
  let [memory, momentum] = [[...initialState.memory.data], [...initialState.momentum.data]];
  for (let t = 0; t < T; t++) {
    momentum = momentum.map((x) => 0.5 * x);
    memory = memory.map((x, i) => 0.8 * x + momentum[i]!);
  }
  near(state.memory, memory);
  near(state.momentum, momentum);
});

test("golden: one token gives M ← (1 − α) M + η S − 2 θ kᵀ ∇, with the gradient at M", () => {
  const given: number[] = [];
  const mixer = titans({
    chunkSize: 1,
    gradient: (prediction) => {
      given.push(...prediction.data);
      return prediction;
    },
  });
  const one = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [name, /norm/.test(name) ? x : first(x)]),
  ) as typeof inputs;
  const { state } = mix(mixer, one, { initialState });
  expect(given).toEqual([...matmul(one.key, initialState.chunkStart).data]);
  const expected = [...initialState.memory.data].map((m, i) => {
    const [h, row, column] = [Math.floor(i / (K * K)), Math.floor(i / K) % K, i % K];
    const step = 2 * 0.1 * one.key.data[h * K + row]! * given[h * K + column]!;
    return 0.8 * m + 0.5 * initialState.momentum.data[i]! - step;
  });
  near(state.memory, expected);
  expect(state.chunkStart.data).toEqual(state.memory.data);
});

const first = (x: Tensor): Tensor =>
  x.shape.length === 3
    ? full([B, H, 1], x.data[0]!, { dtype: "float64" })
    : random([B, H, 1, K], x.data[0]! > 0 ? 11 : 12);

test("the chunk size changes the result; invalid options and states are refused", () => {
  const [two, three] = [2, 3].map((chunkSize) => mix(titans({ chunkSize }), inputs).output.data);
  expect(two!.slice(0, 2 * K)).toEqual(three!.slice(0, 2 * K));
  expect(two!.slice(2 * K, 3 * K)).not.toEqual(three!.slice(2 * K, 3 * K));
  expect(() => titans({ chunkSize: 1.5 })).toThrow(
    /titans: `chunkSize` is 1.5, expected an integer number of tokens/,
  );
  const late = { ...initialState, tokens: full([B], 3, { dtype: "float64" }) };
  expect(() => mix(titans({ chunkSize: 2 }), inputs, { initialState: late })).toThrow(
    /`initialState.tokens` is 3, .*\nFix: continue with the `chunkSize` that made the state/,
  );
});

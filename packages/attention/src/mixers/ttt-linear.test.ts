import { full, matmul, mul, ones, randn, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { mix } from "./mix.js";
import { layerNormGradient, withNormalized } from "./reconstruction.js";
import { tttLinear } from "./ttt-linear.js";

const [B, H, T, K] = [1, 2, 7, 3];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const norm = { normWeight: random([H, K], 4), normBias: random([H, K], 5) };
const inputs = {
  query: random([B, H, T, K], 1),
  key: random([B, H, T, K], 2),
  value: random([B, H, T, K], 3),
  learningRate: full([B, H, T], 0.2, { dtype: "float64" }),
  ...norm,
};
const near = (a: Tensor, b: Tensor) => a.data.forEach((x, i) => expect(x).toBeCloseTo(b.data[i]!, 10));

test("with a learning rate of 0, every query reads the initial state", () => {
  const zero = { dtype: "float64" } as const;
  const weight = random([B, H, K, K], 6);
  const nothing = { weightGradient: zeros(weight.shape, zero), biasGradient: zeros([B, H, 1, K], zero) };
  const initialState = { weight, bias: zeros([B, H, 1, K], zero), ...nothing, tokens: zeros([B], zero) };
  const frozen = { ...inputs, learningRate: zeros([B, H, T], zero) };
  const { output, state } = mix(tttLinear({ miniBatchSize: 2 }), frozen, { initialState, scale: 1 });
  near(state.weight, weight);
  const read = matmul(inputs.query, weight);
  near(output, withNormalized(read, { weight: norm.normWeight, bias: norm.normBias, eps: 1e-6 }));
});

test("the mini-batch size changes the result from the second token on", () => {
  const [two, four] = [2, 4].map((miniBatchSize) => mix(tttLinear({ miniBatchSize }), inputs).output);
  const differs = (t: number) => two!.data[t * K] !== four!.data[t * K];
  expect([0, 1, 2, 3].map(differs)).toEqual([false, false, true, true]);
});

test("the inner gradient is an option: with a loss without a norm, the state learns by least squares", () => {
  // One token, W = 0, b = 0: the prediction is 0 and the gradient −(v − k), so the bias becomes rate · (v − k).
  const one = { ...inputs, ...norm };
  const mixer = tttLinear({ miniBatchSize: 1, gradient: (prediction, target) => mul(target, -1) });
  const first = Object.fromEntries(
    Object.entries(one).map(([name, x]) => [name, /norm/.test(name) ? x : firstToken(x)]),
  ) as typeof one;
  const { state } = mix(mixer, first);
  state.bias.data.forEach((x, i) => {
    expect(x).toBeCloseTo(0.2 * (first.value.data[i]! - first.key.data[i]!), 12);
  });
});

const firstToken = (x: Tensor): Tensor =>
  randn([...x.shape.slice(0, 2), 1, ...x.shape.slice(3)], { seed: 1, dtype: "float64" });

test("the default inner gradient equals central differences of the loss", () => {
  const [prediction, target] = [random([1, H, 1, K], 8), random([1, H, 1, K], 9)];
  const inner = { weight: norm.normWeight, bias: norm.normBias, eps: 0.01 };
  const slope = layerNormGradient(prediction, target, inner);
  const loss = (x: Float64Array) => {
    let total = 0;
    for (let h = 0; h < H; h++) {
      const row = [...x.slice(h * K, h * K + K)];
      const mean = row.reduce((a, b) => a + b) / K;
      const deviation = Math.sqrt(row.reduce((sum, a) => sum + (a - mean) ** 2, 0) / K + 0.01);
      row.forEach((a, c) => {
        const i = h * K + c;
        const given = ((a - mean) / deviation) * norm.normWeight.data[i]! + norm.normBias.data[i]!;
        total += (given - target.data[i]!) ** 2 / 2;
      });
    }
    return total;
  };
  slope.data.forEach((value, i) => {
    const at = (by: number) => loss(Float64Array.from(prediction.data, (x, j) => (i === j ? x + by : x)));
    expect(value).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 6);
  });
});

test("invalid options, and a state of another mini-batch size, are refused", () => {
  expect(() => tttLinear({ miniBatchSize: 0 })).toThrow(
    /tttLinear: `miniBatchSize` is 0, expected an integer number of tokens/,
  );
  expect(() => tttLinear({ eps: -1 })).toThrow(/`eps` is -1/);
  const { state } = mix(tttLinear({ miniBatchSize: 4 }), inputs);
  expect(() => mix(tttLinear({ miniBatchSize: 2 }), inputs, { initialState: state })).toThrow(
    /tttLinear: `initialState.tokens` is 3, .*\nFix: continue with the `miniBatchSize` that made the state/,
  );
  const wide = { ...inputs, value: ones([B, H, T, K + 1], { dtype: "float64" }) };
  expect(() => mix(tttLinear(), wide)).toThrow(
    /mix: `value` has shape \[1, 2, 7, 4\], expected \[1, H, 7, 3\]/,
  );
});

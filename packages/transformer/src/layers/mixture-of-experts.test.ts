import {
  checkGradient,
  mapTensors,
  cast,
  mul,
  randn,
  sum,
  tensor,
  tensorsOf,
  valueAndGrad,
  type Tensor,
} from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { pendingDevice } from "@qkv/test-support/pending-device";
import { feedForward } from "./feed-forward.js";
import { mixtureOfExperts } from "./mixture-of-experts.js";

const sizes = { embedDim: 4, hiddenDim: 6 };
const config = { ...sizes, numExperts: 5, expertsPerToken: 2 };
const layer = mixtureOfExperts(config);
const params = layer.init(1);
const x = randn([2, 7, 4], { seed: 2 });

test("each output is the weighted sum of the top-k experts", () => {
  const inner = feedForward(sizes);
  for (const normTopKProb of [true, false]) {
    const y = mixtureOfExperts({ ...config, normTopKProb }).apply(params, x);
    expect(y.shape).toEqual(x.shape);
    for (let n = 0; n < 14; n++) {
      const row = Array.from(x.data.slice(4 * n, 4 * n + 4));
      const scores = Array.from({ length: 5 }, (_, e) =>
        row.reduce((dot, v, c) => dot + v * params.router.weight.data[4 * e + c]!, 0),
      );
      const powers = scores.map(Math.exp);
      const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 2);
      const total = (normTopKProb ? best.map((e) => powers[e]!) : powers).reduce((a, b) => a + b);
      const expected = [0, 0, 0, 0];
      for (const e of best) {
        const out = inner.apply(params.experts[e]!, tensor(row, { shape: [1, 4] })).data;
        expected.forEach((_, c) => (expected[c]! += (powers[e]! / total) * out[c]!));
      }
      expect(y.data.slice(4 * n, 4 * n + 4)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }
  }
});

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, v, i) => sum + v * b[i]!, 0);
const highest = (scores: readonly number[], count: number) =>
  [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, count);

test.each([1, 2])(
  "sigmoid scores, choice bias, expert groups ranked by their top %i, scale and a gated shared expert equal the formulas",
  (best) => {
    const inner = feedForward(sizes);
    const grouped = mixtureOfExperts({
      ...config,
      numExperts: 8,
      router: { scores: "sigmoid", choiceBias: true, groups: { count: 4, chosen: 2, best }, scale: 2.5 },
      shared: { hiddenDim: 9, gated: true },
    });
    const initial = grouped.init(1);
    const choiceBias = randn([8], { seed: 8 });
    const weights = { ...initial, router: { ...initial.router, choiceBias } };
    const y = grouped.apply(weights, x);
    let differs = 0;
    for (let n = 0; n < 14; n++) {
      const row = x.data.slice(4 * n, 4 * n + 4);
      const rowTensor = tensor(row, { shape: [1, 4] });
      const matrix = weights.router.weight.data;
      const scores = Array.from({ length: 8 }, (_, e) => sigmoid(dot(row, matrix.slice(4 * e, 4 * e + 4))));
      const choice = scores.map((score, e) => score + choiceBias.data[e]!);
      const ranks = Array.from({ length: 4 }, (_, g) =>
        choice
          .slice(2 * g, 2 * g + 2)
          .sort((a, b) => b - a)
          .slice(0, best)
          .reduce((a, b) => a + b),
      );
      const groups = highest(ranks, 2);
      const chosen = highest(
        choice.map((score, e) => (groups.includes(Math.floor(e / 2)) ? score : -Infinity)),
        2,
      );
      differs += Number(highest(choice, 2).some((e) => !chosen.includes(e)));
      const total = chosen.reduce((sum, e) => sum + scores[e]!, 0);
      const sharedGate = sigmoid(dot(row, weights.sharedGate!.weight.data));
      const shared = feedForward({ ...sizes, hiddenDim: 9 }).apply(weights.shared!, rowTensor).data;
      const expected = Array.from(shared, (v) => sharedGate * v);
      for (const e of chosen) {
        const out = inner.apply(weights.experts[e]!, rowTensor).data;
        expected.forEach((_, c) => (expected[c]! += ((2.5 * scores[e]!) / total) * out[c]!));
      }
      expect(y.data.slice(4 * n, 4 * n + 4)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }
    // Ranked by the sum of two scores, the chosen groups do not always have the highest single scores.
    if (best === 2) expect(differs).toBeGreaterThan(0);
  },
);

test('with `applyWeightOn: "input"`, the routing weight multiplies the input of the expert', () => {
  const router = { scores: "sigmoid", applyWeightOn: "input" } as const;
  const topOne = mixtureOfExperts({ ...config, expertsPerToken: 1, normTopKProb: false, router });
  const y = topOne.apply(params, x);
  for (let n = 0; n < 14; n++) {
    const row = Array.from(x.data.slice(4 * n, 4 * n + 4));
    const matrix = params.router.weight.data;
    const logits = Array.from({ length: 5 }, (_, e) => dot(row, matrix.slice(4 * e, 4 * e + 4)));
    const [e] = highest(logits, 1) as [number];
    const read = tensor(
      row.map((v) => v * sigmoid(logits[e]!)),
      { shape: [1, 4] },
    );
    const expected = feedForward(sizes).apply(params.experts[e]!, read).data;
    expect(y.data.slice(4 * n, 4 * n + 4)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
  }
});

test("shareEps is added to the sum that normalizes sigmoid scores", () => {
  const outputs = [{}, { shareEps: 1 }].map((more) => {
    const layer = mixtureOfExperts({ ...config, router: { scores: "sigmoid", ...more } });
    const even = { ...params, router: { weight: mul(params.router.weight, 0) } }; // scores of ½
    return layer.apply(even, x).data;
  });
  const sum = config.expertsPerToken / 2;
  expect(outputs[1]).toBeAllclose(
    outputs[0]!.map((v) => (v * sum) / (sum + 1)),
    { rtol: 0, atol: 5e-6 },
  );
});

test("invalid router options are refused", () => {
  const make = (more: object) => () => mixtureOfExperts({ ...config, ...more });
  expect(make({ router: { scores: "tanh" } })).toThrow(/router.scores/);
  expect(make({ router: { groups: { count: 2, chosen: 1 } } })).toThrow(
    /mixtureOfExperts: `router.groups` is .*, expected groups that divide 5 experts/,
  );
  expect(make({ shared: { hiddenDim: 0 } })).toThrow(/shared.hiddenDim/);
  expect(make({ router: { shareEps: -1 } })).toThrow(/router.shareEps/);
  const biased = mixtureOfExperts({ ...config, router: { choiceBias: true } });
  expect(() => biased.apply(params, x)).toThrow(/`params.router.choiceBias` is undefined/);
});

test("a single expert equals a feed-forward layer", () => {
  const single = mixtureOfExperts({ ...sizes, numExperts: 1, expertsPerToken: 1 });
  const weights = single.init(3);
  const plain = feedForward(sizes).apply(weights.experts[0]!, x).data;
  expect(single.apply(weights, x).data).toBeAllclose(plain, { rtol: 0, atol: 5e-7 });
});

test("gradients equal central differences, for experts, router and input", () => {
  const wide = mapTensors({ params, x }, (t: Tensor) => cast(t, "float64"));
  const dy = randn([2, 7, 4], { seed: 5, dtype: "float64" });
  checkGradient(({ params, x }: typeof wide) => sum(mul(layer.apply(params, x), dy)), wide);
});

test("experts and router have different initial params", () => {
  const firsts = [...params.experts.map(({ up }) => up), params.router].map(({ weight }) => weight.data[0]);
  expect(new Set(firsts).size).toBe(6);
});

test("expertsPerToken above the number of experts is refused", () => {
  expect(() => mixtureOfExperts({ ...config, expertsPerToken: 6 })).toThrow(
    /mixtureOfExperts: `expertsPerToken` is 6, expected an integer from 1 to numExperts = 5/,
  );
});

test.each([
  ["outputs", {}],
  ["inputs", { router: { scores: "sigmoid", applyWeightOn: "input" } }],
  ["outputs, with biases", { bias: true, shared: { hiddenDim: 5 } }],
] as const)(
  "a device with asynchronous reads gives the same sum and gradients: routing weights of %s",
  async (_, more) => {
    const moe = mixtureOfExperts({ ...config, ...more });
    const both = valueAndGrad(({ params, x }: { params: ReturnType<typeof moe.init>; x: Tensor }) =>
      sum(mul(moe.apply(params, x), x)),
    );
    const inputs = { params: moe.init(1), x };
    const expected = tensorsOf(both(inputs));
    const device = pendingDevice();
    const actual = tensorsOf(both(mapTensors(inputs, (x) => x.to(device))));
    expect(actual).toHaveLength(expected.length);
    for (const [i, gradient] of actual.entries())
      expect(await gradient.read()).toBeAllclose(expected[i]!.data, { rtol: 0, atol: 1e-5 });
  },
);

import { randn, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import type { Activation } from "./activation.js";
import { feedForward } from "./feed-forward.js";

test("golden: down(silu(gate x) · up x), by hand", () => {
  // x = [1, 2]: gate [1, −2], up [3, 1]; silu(1) = 0.731059, silu(−2) = −0.238406; products [2.193176, −0.238406].
  const layer = feedForward({ embedDim: 2, hiddenDim: 2 });
  const params = {
    gate: {
      weight: tensor([
        [1, 0],
        [0, -1],
      ]),
    },
    up: {
      weight: tensor([
        [1, 1],
        [1, 0],
      ]),
    },
    down: {
      weight: tensor([
        [1, 1],
        [1, -1],
      ]),
      bias: tensor([0, 10]),
    },
  };
  const { data, shape } = layer.apply(params, tensor([[[1, 2]]]));
  expect(shape).toEqual([1, 1, 2]);
  expect(data[0]).toBeCloseTo(2.193176 - 0.238406, 5);
  expect(data[1]).toBeCloseTo(10 + 2.193176 + 0.238406, 5);
});

test("the output of a token does not depend on other tokens, bit for bit", () => {
  const layer = feedForward({ embedDim: 6, hiddenDim: 10 });
  const params = layer.init(3);
  const all = randn([1, 5, 6], { seed: 1 });
  const alone = tensor(all.data.slice(12, 18), { shape: [1, 1, 6] });
  expect(layer.apply(params, alone).data).toEqual(layer.apply(params, all).data.slice(12, 18));
});

test("initial params are equal for equal seeds, have the expected shapes, and differ between matrices", () => {
  const layer = feedForward({ embedDim: 6, hiddenDim: 10 });
  const { gate, up, down } = layer.init(3);
  expect([gate!, up, down].map(({ weight }) => weight.shape)).toEqual([
    [10, 6],
    [10, 6],
    [6, 10],
  ]);
  expect(layer.init(3).down.weight.data).toEqual(down.weight.data);
  const firsts = [3, 4].flatMap((seed) => {
    const { gate, up, down } = layer.init(seed);
    return [gate!, up, down].map(({ weight }) => weight.data[0]);
  });
  expect(new Set(firsts).size).toBe(6);
});

test("without a gate the output is down(f(up x)), for each activation", () => {
  const x = randn([1, 3, 6], { seed: 1 });
  const functions = {
    silu: (v: number) => v / (1 + Math.exp(-v)),
    relu: (v: number) => Math.max(0, v),
    tanh: Math.tanh,
    geluTanh: (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
    // The tanh approximation, which differs by at most 0.0005; hence the larger tolerance below.
    gelu: (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
  };
  for (const [activation, f] of Object.entries(functions) as [Activation, (v: number) => number][]) {
    const layer = feedForward({ embedDim: 6, hiddenDim: 10, activation, gated: false, bias: true });
    const params = layer.init(2);
    expect(Object.keys(params)).toEqual(["up", "down"]);
    const { up, down } = params;
    const y = layer.apply({ up, down: { ...down, bias: tensor([1, 0, 0, 0, 0, 0]) } }, x);
    for (let t = 0; t < 3; t++) {
      const hidden = Array.from({ length: 10 }, (_, h) =>
        f(
          Array.from({ length: 6 }, (_, c) => x.data[t * 6 + c]! * up.weight.data[h * 6 + c]!).reduce(
            (a, b) => a + b,
          ),
        ),
      );
      const first = hidden.reduce((sum, v, h) => sum + v * down.weight.data[h]!, 1);
      expect(y.data[t * 6]!).toBeCloseTo(first, activation === "gelu" ? 2 : 5);
    }
  }
  const apply = (activation: Activation) => {
    const layer = feedForward({ embedDim: 6, hiddenDim: 10, activation });
    return layer.apply(layer.init(2), x).data;
  };
  expect(apply("gelu")).not.toEqual(apply("geluTanh"));
});

test("an unknown activation is refused", () => {
  expect(() => feedForward({ embedDim: 2, hiddenDim: 2, activation: "gelu_new" as Activation })).toThrow(
    /feedForward: `activation` is "gelu_new", expected one of silu, gelu, geluTanh, relu, reluSquared, quickGelu, tanh/,
  );
});

test("gateLimit clamps gates from above and the up projection on both sides, and adds the offset", () => {
  const limited = feedForward({
    embedDim: 1,
    hiddenDim: 1,
    activation: "quickGelu",
    gateLimit: { limit: 2, offset: 1 },
  });
  const scalar = (v: number) => ({ weight: tensor([[v]]) });
  const params = { gate: scalar(3), up: scalar(-2), down: scalar(1) };
  const expected = (v: number) => {
    const [gate, up] = [Math.min(3 * v, 2), Math.max(-2, Math.min(2, -2 * v))];
    return (up + 1) * (gate / (1 + Math.exp(-1.702 * gate)));
  };
  const values = [-3, -0.5, 0.25, 0.5, 3];
  const y = limited.apply(params, tensor(values, { shape: [5, 1] }));
  expect(y.data).toBeAllclose(values.map(expected), { rtol: 1e-6, atol: 1e-6 });
  expect(() => feedForward({ embedDim: 1, hiddenDim: 1, gated: false, gateLimit: { limit: 7 } })).toThrow(
    /feedForward: `gateLimit`/,
  );
});

test("golden: xielu uses its learned params, and is refused without them", () => {
  const layer = feedForward({ embedDim: 1, hiddenDim: 1, activation: "xielu", gated: false });
  const identity = { weight: tensor([[1]]) };
  const params = { ...layer.init(1), up: identity, down: identity };
  const values = [-4, -1, -1e-3, 0, 0.5, 2];
  const expected = values.map((v) => (v > 0 ? 0.8 * v * v : 0.8 * (Math.expm1(v) - v)) + 0.5 * v);
  const y = layer.apply(params, tensor(values, { shape: [6, 1] }));
  expect(y.data).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });
  expect(() => layer.apply({ up: identity, down: identity }, tensor([[1]]))).toThrow(
    /`params.xielu` is undefined/,
  );
});

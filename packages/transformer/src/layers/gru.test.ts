import { add, checkGradient, flip, mul, randn, slice, sum, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { gru } from "./gru.js";

const layer = gru({ embedDim: 4, hiddenDim: 3 });
const params = layer.init(1);
const x = randn([2, 5, 4], { seed: 2 });

test("golden: one step with embedDim 1, by hand", () => {
  // r = σ(0) = 0.5, z = σ(ln 3) = 0.75, n = tanh(1 + 0.5 · 2) = 0.964028; h = 0.25 · 0.964028 + 0.75 · 4 = 3.241007.
  const scalarGru = gru({ embedDim: 1, hiddenDim: 1 });
  const weights = {
    input: { weight: tensor([[0], [Math.log(3)], [1]]) },
    state: { weight: tensor([[0], [0], [0.5]]) },
  };
  const { output, state } = scalarGru.apply(weights, tensor([[[1]]]), { state: tensor([[4]]) });
  expect(output.data[0]).toBeCloseTo(3.241007, 5);
  expect(state.toNested()).toEqual([[output.data[0]]]);
});

test("a sequence in two calls with the state equals one call", () => {
  const fullOutput = layer.apply(params, x);
  const first = layer.apply(params, slice(x, 1, 0, 2));
  const rest = layer.apply(params, slice(x, 1, 2), { state: first.state });
  expect(slice(fullOutput.output, 1, 2).data).toEqual(rest.output.data);
  expect(rest.state.data).toEqual(fullOutput.state.data);
  const nothing = layer.apply(params, slice(x, 1, 0, 0), { state: first.state });
  expect([nothing.output.shape, nothing.state.data]).toEqual([[2, 0, 3], first.state.data]);
});

test("reverse equals the forward pass of the reversed sequence", () => {
  const back = layer.apply(params, x, { reverse: true });
  const reversed = layer.apply(params, flip(x, 1));
  expect(back.output.data).toEqual(flip(reversed.output, 1).data);
  expect(back.state.data).toEqual(reversed.state.data);
});

test("gradients of weights and inputs equal central differences", () => {
  const inputs = randn([2, 3, 4], { seed: 3, dtype: "float64" });
  const weights = {
    input: {
      weight: randn([9, 4], { seed: 4, dtype: "float64" }),
      bias: randn([9], { seed: 5, dtype: "float64" }),
    },
    state: {
      weight: randn([9, 3], { seed: 6, dtype: "float64" }),
      bias: randn([9], { seed: 7, dtype: "float64" }),
    },
  };
  const dy = randn([2, 3, 3], { seed: 8, dtype: "float64" });
  checkGradient(
    ({ p, x }: { p: typeof weights; x: typeof inputs }) => {
      const { output, state } = layer.apply(p, x);
      return add(sum(mul(output, dy)), sum(mul(state, state)));
    },
    { p: weights, x: inputs },
  );
});

test("initial weights are uniform in ±1/√F and differ between matrices; biases are optional", () => {
  const numbers = [...params.input.weight.data, ...params.state.bias!.data];
  expect(Math.max(...numbers.map(Math.abs))).toBeLessThan(1 / Math.sqrt(3));
  const firsts = [params.input.weight, params.input.bias!, params.state.weight, params.state.bias!];
  expect(new Set(firsts.map(({ data }) => data[0])).size).toBe(4);
  expect(gru({ embedDim: 4, hiddenDim: 3, bias: false }).init(1).input.bias).toBeUndefined();
});

test("inputs and states of other shapes are refused", () => {
  expect(() => layer.apply(params, randn([2, 5, 3], { seed: 1 }))).toThrow(
    /gru: `x` has shape \[2, 5, 3\], expected \[B, T, 4\].\nFix: give batches/,
  );
  expect(() => layer.apply(params, x, { state: randn([1, 3], { seed: 1 }) })).toThrow(
    /`state` has shape \[1, 3\]/,
  );
});

test("padding after the end of a sequence has no effect, in either direction", () => {
  for (const reverse of [false, true]) {
    const { output, state } = layer.apply(params, x, { reverse, lengths: [3, 5] });
    const alone = layer.apply(params, slice(slice(x, 0, 0, 1), 1, 0, 3), { reverse });
    expect(slice(state, 0, 0, 1).data).toEqual(alone.state.data);
    expect(slice(slice(output, 0, 0, 1), 1, 0, 3).data).toEqual(alone.output.data);
    expect(slice(state, 0, 1).data).toEqual(slice(layer.apply(params, x, { reverse }).state, 0, 1).data);
  }
  expect(() => layer.apply(params, x, { lengths: [3] })).toThrow(
    /gru: `lengths` is "1 lengths", expected 2, one for each sequence.*\nFix: give the number of real tokens/,
  );
});

test("options that are no booleans are refused", () => {
  expect(() => gru({ embedDim: 2, hiddenDim: 2, bias: "false" as never })).toThrow(/^gru: `bias` is "false"/);
  const layer = gru({ embedDim: 2, hiddenDim: 2 });
  const call = () => layer.apply(layer.init(1), randn([1, 2, 2], { seed: 1 }), { reverse: 1 as never });
  expect(call).toThrow(/^gru: `reverse` is 1, expected a boolean/);
});

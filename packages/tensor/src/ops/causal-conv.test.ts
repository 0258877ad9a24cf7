import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { count } from "../count.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { causalConv } from "./causal-conv.js";
import { concat } from "./concat.js";
import { mul } from "./mul.js";
import { silu } from "./silu.js";
import { slice } from "./slice-and-pad.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const size = fc.integer({ min: 1, max: 5 });

test("property: a sequence in segments gives the same outputs as the whole sequence", () => {
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: 2, max: 8 }), fc.integer(), (B, C, K, T, seed) => {
      const [x, weight, bias] = [random([B, C, T], seed), random([C, 1, K], seed + 1), random([C], seed + 2)];
      const whole = causalConv(x, weight, { bias, activation: "silu" });
      const at = Math.abs(seed) % T;
      const first = causalConv(slice(x, 2, 0, at), weight, { bias, activation: "silu" });
      const second = causalConv(slice(x, 2, at), weight, { bias, activation: "silu", state: first.state });
      expect(concat([first.output, second.output], 2).toNested()).toEqual(whole.output.toNested());
      expect(second.state.toNested()).toEqual(whole.state.toNested());
      expect(whole.state.shape).toEqual([B, C, K - 1]);
    }),
  );
});

test("golden: by hand, each channel with its own taps", () => {
  const x = tensor([
    [
      [1, 2, 3],
      [1, 0, 0],
    ],
  ]);
  const weight = tensor([1, 10, 100, 4, 5, 6], { shape: [2, 1, 3] });
  const bias = tensor([0.5, 0]);
  const state = tensor([
    [
      [7, 8],
      [0, 0],
    ],
  ]);
  const { output, state: next } = causalConv(x, weight, { bias, state });
  expect(output.toNested()).toEqual([
    [
      [187.5, 218.5, 321.5],
      [6, 5, 4],
    ],
  ]);
  expect(next.toNested()).toEqual([
    [
      [2, 3],
      [0, 0],
    ],
  ]);
  expect(causalConv(x, weight).output.toNested()).toEqual([
    [
      [100, 210, 321],
      [6, 5, 4],
    ],
  ]);
});

test("the activations silu and swish are the same", () => {
  const [x, weight] = [random([1, 2, 4]), random([2, 1, 3], 2)];
  const expected = silu(causalConv(x, weight).output).toNested();
  expect(causalConv(x, weight, { activation: "silu" }).output.toNested()).toEqual(expected);
  expect(causalConv(x, weight, { activation: "swish" }).output.toNested()).toEqual(expected);
});

test("first and second gradients of all four inputs equal central differences", () => {
  const params = {
    x: random([2, 3, 4]),
    weight: random([3, 1, 3], 2),
    bias: random([3], 3),
    state: random([2, 3, 2], 4),
  };
  const f = ({ x, weight, bias, state }: typeof params) => {
    const next = causalConv(x, weight, { bias, state, activation: "silu" });
    return sum(concat([mul(next.output, random([2, 3, 4], 8)), mul(next.state, random([2, 3, 2], 9))], 2));
  };
  expect(() => checkGradient(f, params)).not.toThrow();
  const slope = (weight: Tensor) =>
    weigh(grad((x: Tensor) => weigh(causalConv(x, weight, { activation: "silu" }).output))(params.x));
  expect(() => checkGradient(slope, params.weight)).not.toThrow();
});

test("two FLOPs are counted per tap", () => {
  const { flops } = count(() => causalConv(zeros([2, 3, 5]), zeros([3, 1, 4]), { state: zeros([2, 3, 3]) }));
  expect(flops).toBe(2 * 30 * 4); // the copies of concat and of the state compute nothing
});

test("invalid arguments are refused, with the fix", () => {
  const [x, weight] = [zeros([1, 2, 4]), zeros([2, 1, 3])];
  expect(() => causalConv(zeros([2, 4]), weight)).toThrow(
    /`x` has shape \[2, 4\], expected \[B, C, T\].*\nFix: x is \[B, C, T\], weight/,
  );
  expect(() => causalConv(x, zeros([3, 1, 3]))).toThrow(
    /`weight` is "float32 \[3, 1, 3\]", expected float32 \[2, 1, 3\]/,
  );
  expect(() => causalConv(x, weight, { state: zeros([1, 2, 3]) })).toThrow(
    /`state`.*expected float32 \[1, 2, 2\].*\nFix: x is \[B, C, T\]/,
  );
  expect(() => causalConv(x, weight, { bias: zeros([1]) })).toThrow(/`bias`/);
  const activation = "relu" as unknown as "silu";
  expect(() => causalConv(x, weight, { activation })).toThrow(/`activation` is "relu".*\nFix: apply others/);
});

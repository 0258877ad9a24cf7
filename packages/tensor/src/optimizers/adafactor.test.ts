import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { ones, tensor, zeros } from "../create.js";
import { mul } from "../ops/mul.js";
import { sub } from "../ops/sub.js";
import { randn } from "../random/randn.js";
import { adafactor } from "./adafactor.js";

const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("the state of a matrix has one number per row and per column, that of a vector one per element", () => {
  const { moments, step } = adafactor().init({
    w: zeros([2, 3, 4]),
    b: zeros([5]),
    ids: tensor([1], { dtype: "int32" }),
  });
  expect(step).toBe(0);
  expect([moments["rows"]?.w.shape, moments["columns"]?.w.shape]).toEqual([
    [2, 3, 1],
    [2, 1, 4],
  ]);
  expect(moments["meanSquare"]?.b.shape).toEqual([5]);
  expect(moments["rows"]?.b).toBeUndefined();
  expect(moments["meanSquare"]?.w).toBeUndefined();
});

test("property: the magnitude of the gradients does not change the step, and that of the param scales it", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0.1, max: 10, noNaN: true }), (seed, scale) => {
      const step = (params: { w: ReturnType<typeof random> }, factor: number) => {
        const before = mul(params.w, 1);
        const optimizer = adafactor();
        optimizer.update(params, { w: mul(random([3, 4], seed), factor) }, optimizer.init(params));
        return sub(params.w, before);
      };
      const start = () => random([3, 4], seed + 1);
      const expected = step({ w: start() }, 1);
      expect(step({ w: start() }, scale)).toBeAllclose(expected, { rtol: 1e-9, atol: 1e-12 });
      expect(step({ w: mul(start(), scale) }, 1)).toBeAllclose(mul(expected, scale), {
        rtol: 1e-9,
        atol: 1e-12,
      });
    }),
    { numRuns: 30 },
  );
});

test("golden: for equal gradients, the first step is the rate times the root mean square of the param", () => {
  const params = { w: mul(ones([2, 2]), 4), b: mul(ones([3]), 4) };
  const optimizer = adafactor({ learningRate: 0.25 });
  const state = optimizer.init(params);
  optimizer.update(params, { w: ones([2, 2]), b: ones([3]) }, state);
  expect([...params.w.data, ...params.b.data]).toEqual([3, 3, 3, 3, 3, 3, 3]);
  expect(state.step).toBe(1);
});

test("a moment of another shape, and options outside of their range, are refused", () => {
  const params = { w: ones([2, 3]) };
  const optimizer = adafactor();
  const { step, moments } = optimizer.init(params);
  const swapped = { step, moments: { ...moments, rows: { w: zeros([1, 3]) } } };
  expect(() => optimizer.update(params, params, swapped)).toThrow(
    /^adafactor: `state.moments.rows.w` is "float32 \[1, 3\] on js", expected float32 \[2, 1\] on js/,
  );
  expect(() => adafactor({ beta2Decay: 0.5 })).toThrow(/`beta2Decay` is 0.5/);
  expect(() => adafactor({ clipThreshold: 0 })).toThrow(/`clipThreshold` is 0/);
});

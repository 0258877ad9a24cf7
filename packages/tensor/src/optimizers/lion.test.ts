import fc from "fast-check";
import { expect, test } from "vitest";
import { tensor } from "../create.js";
import { lion } from "./lion.js";

const float64 = (values: number[]) => tensor(values, { dtype: "float64" });

test("property: each element steps by the learning rate against the sign of the first mean, and the stored mean decays more slowly", () => {
  const numbers = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 });
  const decay = fc.constantFrom(0, 0.1);
  fc.assert(
    fc.property(fc.array(numbers, { minLength: 1, maxLength: 5 }), decay, (gradients, weightDecay) => {
      const params = { w: float64([1, -2, 0]) };
      const optimizer = lion({ learningRate: 0.5, betas: [0.75, 0.5], weightDecay });
      const state = optimizer.init(params);
      const expected = [1, -2, 0];
      const mean = [0, 0, 0];
      for (const gradient of gradients) {
        optimizer.update(params, { w: float64(gradient) }, state);
        gradient.forEach((slope, i) => {
          const sign = Math.sign(0.75 * mean[i]! + 0.25 * slope);
          expected[i] = expected[i]! * (1 - 0.5 * weightDecay) - 0.5 * sign;
          mean[i] = 0.5 * mean[i]! + 0.5 * slope;
        });
      }
      params.w.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
      expect(Object.keys(state.moments)).toEqual(["mean"]);
    }),
  );
});

test("params may be scalars; options out of range are refused", () => {
  const params = { scale: tensor(1) };
  const optimizer = lion({ learningRate: 0.25 });
  optimizer.update(params, { scale: tensor(3) }, optimizer.init(params));
  expect(params.scale.toNested()).toBe(0.75);
  expect(() => lion({ betas: [0.9, 1] })).toThrow(/`betas\[1\]` is 1/);
  expect(() => lion({ betas: [0.9] as never })).toThrow(/expected a list of two numbers/);
  expect(() => lion({ weightDecay: -1 })).toThrow(/`weightDecay` is -1/);
});

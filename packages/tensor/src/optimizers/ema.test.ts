import fc from "fast-check";
import { expect, test } from "vitest";
import { randn, tensor, type Tensor } from "../index.js";
import { ema } from "./ema.js";

const number = fc.integer({ min: -50, max: 50 });

test("property: the average is the exponentially decayed sum of the params", () => {
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 9 }), (values) => {
      const params = { w: tensor([values[0]!], { dtype: "float64" }) };
      const average = ema({ decay: 0.5 });
      const smooth = average.init(params);
      for (const value of values) {
        params.w.data[0] = value;
        average.update(smooth, params);
      }
      const expected = values.reduce((sum, value) => 0.5 * sum + 0.5 * value, values[0]!);
      expect(smooth.w.data[0]).toBeCloseTo(expected, 12);
    }),
  );
});

test("the decay is smaller in the first steps", () => {
  const params = { w: tensor([10]) };
  const average = ema({ decay: 0.999 });
  const smooth = { w: tensor([0]) };
  average.update(smooth, params, 0); // by hand: 1 / 10 of 0, and 9 / 10 of 10
  expect(smooth.w.data[0]).toBeCloseTo(9, 6);
  const late = { w: tensor([0]) };
  average.update(late, params, 100_000);
  expect(late.w.data[0]).toBeCloseTo(0.01, 6);
});

test("params do not change, and the first average is a copy of them", () => {
  const params = { layers: [{ w: randn([3, 2], { seed: 1 }) }] };
  const before = params.layers[0]!.w.data.slice();
  const average = ema({ decay: 0.9 });
  const smooth = average.init(params);
  expect(smooth.layers[0]!.w.data).toEqual(before);
  params.layers[0]!.w.data.fill(1);
  expect(smooth.layers[0]!.w.data).toEqual(before);
  average.update(smooth, params);
  expect([...params.layers[0]!.w.data]).toEqual([1, 1, 1, 1, 1, 1]);
});

test.each<[string, () => unknown, RegExp]>([
  ["a decay of 1", () => ema({ decay: 1 }), /ema: `decay` is 1/],
  ["no options", () => ema(undefined as never), /ema: `decay` is undefined/],
  [
    "an average of other params",
    () => ema({ decay: 0.5 }).update({ w: tensor([1]) } as { w: Tensor }, { w: tensor([1, 2]) }),
    /ema: `average` is .*\nFix: give what `init\(params\)` returned/,
  ],
  [
    "half a step",
    () => ema({ decay: 0.5 }).update({ w: tensor([1]) }, { w: tensor([1]) }, 0.5),
    /ema: `step` is 0.5/,
  ],
])("%s is refused", (_, call, message) => {
  expect(call).toThrow(message);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { norm } from "./norm.js";
import { normalize } from "./normalize.js";
import { sum } from "./sum.js";

const weigh = (y: Tensor) => sum(mul(y, randn([...y.shape], { seed: 99, dtype: "float64" })));

test("property: every vector is scaled to norm 1, and keeps its direction", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom(0, 1, -1),
      fc.constantFrom(1, 2, Infinity),
      (seed, axis, order) => {
        const x = randn([3, 4, 2], { seed, dtype: "float64" });
        const y = normalize(x, { axis, order });
        for (const length of norm(y, { axis, order }).data) expect(length).toBeCloseTo(1, 12);
        const lengths = norm(x, { axis, order, keepDims: true });
        mul(y, lengths).data.forEach((value, i) => expect(value).toBeCloseTo(x.data[i]!, 12));
      },
    ),
  );
});

test.each([1, 2])("the gradient, of order %s, equals central differences", (order) => {
  const x = randn([3, 4], { seed: 1, dtype: "float64" });
  expect(() => checkGradient((z) => weigh(normalize(z, { order, axis: 0 })), x)).not.toThrow();
});

test("a vector whose norm is below eps is divided by eps, and so is its gradient", () => {
  expect(normalize(zeros([3])).toNested()).toEqual([0, 0, 0]);
  expect(normalize(tensor([1, 0]), { eps: 4 }).toNested()).toEqual([0.25, 0]);
  expect(grad((z: Tensor) => sum(normalize(z, { eps: 4 })))(tensor([1, 0])).toNested()).toEqual([0.25, 0.25]);
});

test("other orders and unknown options are refused, and the error names them", () => {
  expect(() => normalize(zeros([2]), { order: 3 })).toThrow(
    /^normalize: `order` is 3, expected 1, 2 or Infinity/,
  );
  expect(() => normalize(zeros([2]), { eps: 0 })).toThrow(/`eps` is 0/);
  expect(() => normalize(zeros([2]), { dim: 0 } as never)).toThrow(/`dim` is 0.*\n.*`axis`/);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor } from "../create.js";
import { grad } from "../grad.js";
import { gelu } from "./gelu.js";
import { mul } from "./mul.js";
import { silu } from "./silu.js";
import { sum } from "./sum.js";
import { swiglu } from "./swiglu.js";
import { swish } from "./swish.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const x = random([2, 5]);

test("property: f(x) − f(−x) is x for gelu and swish", () => {
  // Φ(x) + Φ(−x) = 1, so gelu(x) − gelu(−x) = x; the same holds for the other gates.
  fc.assert(
    fc.property(
      fc.double({ min: -30, max: 30, noNaN: true }),
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      (v, alpha) => {
        const both = tensor([v, -v], { dtype: "float64" });
        for (const y of [gelu(both), gelu(both, { approximate: "tanh" }), swish(both, { alpha })]) {
          expect(y.data[0]! - y.data[1]!).toBeCloseTo(v, 12);
        }
      },
    ),
  );
});

test("golden: x Φ(x) from tables of the normal distribution", () => {
  const y = gelu(tensor([1, -2, 1.96], { dtype: "float64" })).data;
  expect(y[0]).toBeCloseTo(0.8413447460685429, 15);
  expect(y[1]).toBeCloseTo(-2 * 0.022750131948179195, 15);
  expect(y[2]).toBeCloseTo(1.96 * 0.9750021048517795, 14);
  // ½ (1 + tanh(√(2/π) · 1.044715))
  expect(gelu(tensor([1], { dtype: "float64" }), { approximate: "tanh" }).data[0]).toBeCloseTo(
    0.8411919906082768,
    14,
  );
  expect(swish(tensor([1]), { alpha: Math.log(3) }).data[0]).toBeCloseTo(0.75, 6);
  expect(swiglu(tensor([1]), tensor([4]), { alpha: Math.log(3) }).data[0]).toBeCloseTo(3, 5);
});

test("for large magnitudes, gelu is x or 0, and its gradient 1 or 0", () => {
  const far = tensor([1e4, -1e4, Infinity, -Infinity]);
  expect([...gelu(far).data].map((v) => v + 0)).toEqual([1e4, 0, Infinity, 0]);
  expect([...gelu(far, { approximate: "tanh" }).data].map((v) => v + 0)).toEqual([1e4, 0, Infinity, 0]);
  expect([...grad((z: Tensor) => sum(gelu(z)))(far).data].map((v) => v + 0)).toEqual([1, 0, 1, 0]);
});

test("swish with alpha 1 is silu", () => {
  expect([...swish(x).data]).toEqual([...silu(x).data]);
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["gelu", gelu],
  ["gelu by tanh", (z) => gelu(z, { approximate: "tanh" })],
  ["silu", silu],
  ["swish", (z) => swish(z, { alpha: 1.7 })],
  ["swiglu, both sides", (z) => swiglu(z, mul(z, z), { alpha: 0.5 })],
])("gradients of %s, first and second, equal central differences", (_, f) => {
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((w: Tensor) => weigh(f(w)))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("an unknown approximation and integer tensors are refused, with the fix", () => {
  const approximate = "new" as unknown as "tanh";
  expect(() => gelu(x, { approximate })).toThrow(
    /`approximate` is "new", expected "none" or "tanh".\nFix: leave it out/,
  );
  expect(() => gelu(tensor([1], { dtype: "int32" }))).toThrow(/expected float32 or float64/);
  expect(() => swish(tensor([1], { dtype: "int32" }))).toThrow(/expected float32 or float64/);
});

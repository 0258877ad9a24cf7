import { randn } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { linearScaling } from "./linear-scaling.js";
import { rope } from "./rope.js";

test("property: it equals the plain embedding of positions divided by the factor", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(500), (factor, place) => {
      const x = randn([1, 2, 1, 8], { seed: place, dtype: "float64" });
      const slow = rope({ headDim: 8, scaling: linearScaling(factor) }).apply(x, { start: factor * place });
      const plain = rope({ headDim: 8 }).apply(x, { start: place });
      expect(slow.data).toBeAllclose(plain.data, { rtol: 0, atol: 5e-11 });
    }),
  );
});

test("golden: factor 2 halves the frequencies", () => {
  const { rotaryFrequencies, name } = linearScaling(2);
  const { frequencies, attentionFactor } = rotaryFrequencies({ base: 100, rotaryDim: 4, length: 1 });
  expect([...frequencies, attentionFactor]).toEqual([0.5, 0.05, 1]);
  expect(name).toBe("linearScaling(2)");
});

test("a factor below 1 is refused, with the fix", () => {
  expect(() => linearScaling(0)).toThrow(/linearScaling: `factor` is 0, expected a finite number, 1 or more/);
});

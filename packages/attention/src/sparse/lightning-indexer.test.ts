import { js, randn, slice, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { and } from "../masks/and.js";
import { causal } from "../masks/causal.js";
import { lightningIndexer } from "./lightning-indexer.js";
import { selectedKeys } from "./selected-keys.js";

const sizes = fc.integer({ min: 1, max: 7 });

test("property: topK ≥ S gives full causal attention", () => {
  fc.assert(
    fc.property(sizes, fc.nat(1e6), (T, seed) => {
      const x = randn([1, 2, T, 3], { seed });
      const [query, key] = [randn([1, 3, T, 2], { seed: seed + 1 }), randn([1, T, 2], { seed: seed + 2 })];
      const mask = and(causal(), selectedKeys(lightningIndexer(query, key, { topK: T + 1 })));
      expect(attention(x, x, x, { mask }).data).toEqual(attention(x, x, x, { mask: causal() }).data);
    }),
  );
});

test("property: the selected keys are those with the highest index scores, computed by loops", () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 4 }), fc.nat(1e6), (T, topK, seed) => {
      const make = (shape: number[], more: number) => randn(shape, { seed: seed + more, dtype: "float64" });
      const [query, key, weights] = [make([1, 2, T, 3], 0), make([1, T, 3], 1), make([1, 2, T], 2)];
      const chosen = lightningIndexer(query, key, { topK, weights }).data;
      for (let t = 0; t < T; t++) {
        const score = (s: number) =>
          [0, 1].reduce((total, h) => {
            const dot = [0, 1, 2].reduce(
              (sum, d) => sum + query.data[(h * T + t) * 3 + d]! * key.data[s * 3 + d]!,
              0,
            );
            return total + weights.data[h * T + t]! * Math.max(0, dot);
          }, 0);
        const ranked = Array.from({ length: t + 1 }, (_, s) => score(s)).sort((a, b) => b - a);
        const own = [...chosen.slice(t * topK, (t + 1) * topK)].filter((s) => s >= 0);
        expect(own).toHaveLength(Math.min(topK, t + 1));
        own.forEach((s, i) => expect(score(s)).toBeCloseTo(ranked[i]!, 10));
      }
    }),
  );
});

test("a call with only the last query selects the same keys", () => {
  const [query, key] = [randn([1, 2, 5, 3], { seed: 1 }), randn([1, 5, 3], { seed: 2 })];
  const whole = lightningIndexer(query, key, { topK: 2 });
  expect([...lightningIndexer(slice(query, 2, 4), key, { topK: 2 }).data]).toEqual([
    ...slice(whole, 1, 4).data,
  ]);
});

test("weights and keys of another shape are refused", () => {
  const [query, key] = [zeros([1, 2, 3, 4]), zeros([1, 3, 4])];
  expect(() => lightningIndexer(query, key, { topK: 1, weights: zeros([1, 3, 2]) })).toThrow(
    /lightningIndexer: `weights` has shape \[1, 3, 2\], expected \[B, H, T\] = \[1, 2, 3\]/,
  );
  expect(() => lightningIndexer(query, zeros([1, 3, 5]), { topK: 1 })).toThrow(
    /`key` has shape \[1, 3, 5\], expected \[B, S, D\]/,
  );
});

test("no array for the scores of all pairs is allocated", () => {
  const [H, T, D, topK] = [2, 640, 4, 8];
  const plain = js();
  let largest = 0;
  const device = {
    ...plain,
    allocate(...call: Parameters<typeof plain.allocate>) {
      largest = Math.max(largest, call[1]);
      return plain.allocate(...call);
    },
  };
  const query = randn([1, H, T, D], { seed: 1, device });
  const key = randn([1, T, D], { seed: 2, device });
  expect(lightningIndexer(query, key, { topK }).shape).toEqual([1, T, topK]);
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(H * 64 * T);
});

import { type PagedBlocks, denseSegment } from "@qkv/attention-contract";
import { randn, slice, zeros, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quantizedCache } from "./quantized-cache.js";
import { quantize } from "./quantize.js";

const [Hkv, D] = [2, 4];
const tokens = (T: number, seed: number) => randn([1, Hkv, T, D], { seed });

test("property: groups followed by `residualLength` tokens are quantized, and the other tokens are the given floats", () => {
  const sizes = fc.record({
    groupSize: fc.integer({ min: 1, max: 6 }),
    residualLength: fc.integer({ min: 0, max: 6 }),
  });
  const chunks = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sizes, chunks, ({ groupSize, residualLength }, chunks) => {
      const T = chunks.reduce((a, b) => a + b, 0);
      const [key, value] = [tokens(T, 1), tokens(T, 2)];
      const cache = quantizedCache({ groupSize, residualLength });
      let t = 0;
      for (const count of chunks) {
        cache.update(0, slice(key, 2, t, t + count), slice(value, 2, t, t + count));
        t += count;
      }
      const coded = Math.max(0, Math.floor((T - residualLength) / groupSize)) * groupSize;
      const held = cache.read(0);
      const tail = held.key.at(-1) as Tensor;
      expect(tail.toNested()).toEqual(slice(key, 2, coded).toNested());
      expect(held.key.length).toBe(coded > 0 ? 2 : 1);
      if (coded === 0) return;
      for (const [part, exact, axis] of [
        [held.key[0] as PagedBlocks, key, 2],
        [held.value[0] as PagedBlocks, value, 3],
      ] as const) {
        expect(part.length).toBe(coded);
        // The largest magnitude of a channel in a group of keys, or of a token in values, has the code 127.
        const near = denseSegment(part, 1);
        for (let g = 0; g < coded; g += groupSize) {
          const rows = slice(exact, 2, g, g + groupSize);
          const { scale } = quantize(rows, axis);
          const own = slice(near, 2, g, g + groupSize);
          rows.data.forEach((x, i) => {
            const [d, s, h] = [i % D, Math.floor(i / D) % groupSize, Math.floor(i / (D * groupSize))];
            const step = scale.data[axis === 2 ? h * D + d : h * groupSize + s]!;
            expect(Math.abs(own.data[i]! - x)).toBeLessThanOrEqual(step * 0.5 * 1.0001);
          });
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("golden: a scale is the largest magnitude divided by 127, per channel for keys and per token for values", () => {
  const x = slice(tokens(3, 5), 1, 0, 1); // [1, 1, 3, 4]
  const rows = x.toNested() as number[][][][];
  const [first] = rows[0]!;
  const channels = [0, 1, 2, 3].map((d) => Math.max(...first!.map((row) => Math.abs(row[d]!))) / 127);
  expect(quantize(x, 2).scale.data).toEqual(Float32Array.from(channels));
  const each = first!.map((row) => Math.max(...row.map(Math.abs)) / 127);
  expect(quantize(x, 3).scale.data).toEqual(Float32Array.from(each));
  expect(Math.max(...quantize(x, 3).codes.data.map(Math.abs))).toBe(127);
  // Zeros are quantized without error.
  expect(quantize(zeros([1, 1, 2, 3]), 2).codes.data).toEqual(new Int8Array(6));
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { lookupBatches } from "./lookups.js";

const size = fc.integer({ min: 2, max: 6 });

test("property: targets are the letters at the offsets before each position, modulo T", () => {
  fc.assert(
    fc.property(size, size, fc.nat(9), fc.nat(), (V, T, step, seed) => {
      const offsets = [1, T - 1];
      const options = { offsets, first: true, vocabSize: V, contextLength: T, batchSize: 3, seed };
      const { ids, rows, targets } = lookupBatches(options)(step);
      const largest = (row: Float32Array) => row.indexOf(Math.max(...row));
      for (let n = 0; n < 3 * T; n++) {
        const [first, position] = [n - (n % T), n % T];
        const row = rows.data.slice(n * (V + T), (n + 1) * (V + T)) as Float32Array;
        expect([largest(row.slice(0, V)), largest(row.slice(V))]).toEqual([ids.data[n], position]);
        [...offsets, position].forEach((offset, k) => {
          const start = (n * 3 + k) * V;
          const expected = ids.data[first + ((position + T - offset) % T)];
          expect(largest(targets.data.slice(start, start + V) as Float32Array)).toBe(expected);
        });
      }
    }),
  );
});

test("rows and targets have mean square 1, targets have mean 0, and equal steps give equal batches", () => {
  const batchAt = lookupBatches({ offsets: [1], seed: 3 });
  const { rows, targets } = batchAt(5);
  const square = (data: ArrayLike<number>) => Array.from(data, (x) => x * x).reduce((a, b) => a + b);
  expect(square(rows.data) / rows.data.length).toBeCloseTo(1, 5);
  expect(square(targets.data) / targets.data.length).toBeCloseTo(1, 5);
  expect(Array.from(targets.data).reduce((a, b) => a + b)).toBeCloseTo(0, 3);
  expect(batchAt(5).ids.toNested()).toEqual(batchAt(5).ids.toNested());
  expect(batchAt(6).ids.toNested()).not.toEqual(batchAt(5).ids.toNested());
});

test("an offset outside the sequence is refused", () => {
  expect(() => lookupBatches({ offsets: [1, 8], seed: 1 })).toThrow(
    /lookupBatches: `offsets` is \[1, 8\], expected integers from 0 to 7.*\nFix: count places back/,
  );
});

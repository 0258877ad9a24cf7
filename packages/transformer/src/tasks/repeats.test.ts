import fc from "fast-check";
import { expect, test } from "vitest";
import { repeatBatches } from "./repeats.js";

test("property: each row repeats with its period, and has targets after the first period only", () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 20 }), fc.nat(9), fc.nat(), (T, step, seed) => {
      const maxPeriod = Math.floor(T / 2);
      const { ids, targets } = repeatBatches({
        vocabSize: maxPeriod + 2,
        contextLength: T,
        minPeriod: 2,
        batchSize: 4,
        seed,
      })(step);
      for (let b = 0; b < 4; b++) {
        const row = [...ids.data.subarray(b * T, (b + 1) * T)];
        const period = new Set(row).size;
        expect(period).toBeGreaterThanOrEqual(2);
        expect(period).toBeLessThanOrEqual(maxPeriod);
        row.forEach((id, t) => {
          if (t >= period) expect(id).toBe(row[t - period]);
          const expected = t < period ? -100 : row[t - period + 1];
          expect(targets.data[b * T + t]).toBe(expected);
        });
      }
    }),
  );
});

test("periods differ between rows, and batches between steps", () => {
  const batchAt = repeatBatches({ seed: 1, batchSize: 64 });
  const periods = (step: number) =>
    (batchAt(step).ids.toNested() as number[][]).map((row) => new Set(row).size);
  expect(new Set(periods(0))).toEqual(new Set([8, 9, 10, 11, 12, 13, 14, 15, 16]));
  expect(batchAt(0).ids.toNested()).not.toEqual(batchAt(1).ids.toNested());
});

test("a vocabulary that is too small is refused", () => {
  expect(() => repeatBatches({ vocabSize: 15, seed: 1 })).toThrow(
    /`vocabSize` is 15, expected an integer, 16 or more.*\nFix: give 16 tokens or more/,
  );
  expect(() => repeatBatches({ minPeriod: 17, seed: 1 })).toThrow("repeatBatches: `minPeriod` is 17");
});

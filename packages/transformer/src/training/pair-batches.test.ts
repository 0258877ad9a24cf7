import { expect, test } from "vitest";
import { pairBatches } from "./pair-batches.js";

const ids = { startId: 1, endId: 2, padId: 0 };

test("golden: sources are padded, targets end with endId, and padding has the target -100", () => {
  const pairAt = (n: number) => ({ source: [5, 6, 7].slice(n), target: [8, 9].slice(0, n) });
  const { source, sourceLengths, decoderInput, targets } = pairBatches({ pairAt, batchSize: 3, ...ids })(0);
  expect(source.toNested()).toEqual([
    [5, 6, 7],
    [6, 7, 0],
    [7, 0, 0],
  ]);
  expect(sourceLengths).toEqual([3, 2, 1]);
  expect(decoderInput.toNested()).toEqual([
    [1, 2, 2],
    [1, 8, 2],
    [1, 8, 9],
  ]);
  expect(targets.toNested()).toEqual([
    [2, -100, -100],
    [8, 2, -100],
    [8, 9, 2],
  ]);
});

test("step n has the pairs from n · batchSize", () => {
  const indices: number[] = [];
  const pairAt = (n: number) => (indices.push(n), { source: [n], target: [] });
  pairBatches({ pairAt, batchSize: 2, ...ids })(3);
  expect(indices).toEqual([6, 7]);
});

test("an empty source is refused", () => {
  const pairAt = () => ({ source: [], target: [3] });
  expect(() => pairBatches({ pairAt, batchSize: 1, ...ids })(0)).toThrow(
    /pairBatches: `source` is "empty at place 0", expected token ids.*\nFix: give a source of one token/,
  );
});

import { expect, test } from "vitest";
import { modelSeeds } from "./model-seeds.js";

// conformance/references/training-losses.json starts from weights that these seeds give.
test("golden: params outside the layers have the seeds 12000 · seed + i, layers 1000 · seed + 1 + i", () => {
  expect(modelSeeds(1, ["embedding", "positions"], 2)).toEqual([
    { embedding: 12_000, positions: 12_001 },
    [1001, 1002],
  ]);
});

test("seeds of 1200 layers are different for two models", () => {
  const all = [1, 2].flatMap((seed) => modelSeeds(seed, [], 1200)[1]);
  expect(new Set(all).size).toBe(2400);
});

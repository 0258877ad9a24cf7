import { expect, test } from "vitest";
import { modelSeeds } from "./model-seeds.js";

// conformance/references/training-losses.json starts from weights that these seeds give.
test("golden: twelve seeds stand around the layers, and each layer has twelve of its own", () => {
  expect(modelSeeds(1, ["embedding", "positions"], 2)).toEqual([
    { embedding: 12_000, positions: 12_001 },
    [1001, 1002],
  ]);
});

test("more layers than the usual room still have seeds of their own", () => {
  const all = [1, 2].flatMap((seed) => modelSeeds(seed, [], 1200)[1]);
  expect(new Set(all).size).toBe(2400);
});

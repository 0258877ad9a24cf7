import { expect, test } from "vitest";
import { copiesClearly, rankedHeads, sortedHeads, weakBelow } from "./head-ranking";

const scores = { induction: Float32Array.of(0.5, NaN, 0.25, 0.75) };
const sorted = sortedHeads({ scores, layers: [1, 3], numHeads: 2 }, "induction");

test("heads are sorted by their score, and those without one are left out", () => {
  expect(sorted).toEqual([
    { layer: 3, head: 1, score: 0.75 },
    { layer: 1, head: 0, score: 0.5 },
    { layer: 3, head: 0, score: 0.25 },
  ]);
  expect(sortedHeads({ scores, layers: [1, 3], numHeads: 2 }, "sameToken")).toEqual([]);
  const many = { scores: { induction: new Float32Array(30) }, layers: [0], numHeads: 30 };
  expect(sortedHeads(many, "induction").length).toBe(10);
});

test("heads of layer 0 cannot do induction, and come last in its list alone", () => {
  const scores = { induction: Float32Array.of(0.5, 0.25), firstToken: Float32Array.of(0.5, 0.25) };
  const layersOf = (name: "induction" | "firstToken") =>
    sortedHeads({ scores, layers: [0, 1], numHeads: 1 }, name).map(({ layer }) => layer);
  expect(layersOf("induction")).toEqual([1, 0]);
  expect(layersOf("firstToken")).toEqual([0, 1]);
});

test("a score is weak below a third of the way from that of an even head to 1", () => {
  expect(weakBelow(0)).toBeCloseTo(1 / 3);
  expect(weakBelow(0.1)).toBeCloseTo(0.4);
  expect(rankedHeads(sorted, 0.1, undefined).map(({ isWeak }) => isWeak)).toEqual([false, false, true]);
  expect(rankedHeads(sorted, 0.4, undefined).map(({ isWeak }) => isWeak)).toEqual([false, true, true]);
});

test("a head that attends and copies comes before one that only attends, and one that only copies does not", () => {
  const ranked = (copied: number[]) =>
    rankedHeads(sorted, 0.1, { positions: [2, 3, 4, 5], copied }).map(({ score }) => score);
  expect(ranked([1, 2, 4])).toEqual([0.5, 0.75, 0.25]);
  expect(ranked([2, 2, 4])).toEqual([0.75, 0.5, 0.25]);
  const head = { layer: 1, head: 0, score: 0.9, isWeak: false };
  expect(copiesClearly({ ...head, copied: 2 }, 4)).toBe(true);
  expect(copiesClearly({ ...head, layer: 0, copied: 4 }, 4)).toBe(false);
  expect(copiesClearly({ ...head, copied: 1 }, 4)).toBe(false);
  expect(copiesClearly({ ...head, isWeak: true, copied: 4 }, 4)).toBe(false);
  expect(copiesClearly({ ...head, copied: undefined }, 0)).toBe(false);
  expect(copiesClearly({ ...head, copied: 0 }, 0)).toBe(false);
});

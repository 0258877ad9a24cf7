import { expect, test } from "vitest";
import type { RankedHead } from "./head-ranking";
import { headVerdict } from "./head-verdict";

const head = (layer: number, score: number, copied?: number): RankedHead => ({
  ...{ layer, head: 2, score, isWeak: score < 0.4, copied },
});
const own = { tried: 8, isRandom: false };

test("a head that attends as induction does, but does not copy, is put into words", () => {
  const { verdict, details } = headVerdict("induction", [head(1, 0.55, 0), head(2, 0.3, 0)], own);
  expect(verdict).toBe("No head of this model copies clearly on this text.");
  expect(details).toEqual([
    "Layer 1, head 2 attends to the token after an earlier copy (0.55), but its output does not raise that token (copies 0 of 8): it does not copy.",
  ]);
});

test("a head of layer 0 is no induction head, also where it copies", () => {
  const { clear, details } = headVerdict("induction", [head(0, 0.55, 8)], own);
  expect(clear).toEqual([]);
  expect(details[0]).toMatch(/not by induction: in layer 0/);
});

test("on random words the model has none, or names those that copy", () => {
  const random = { tried: 8, isRandom: true };
  expect(headVerdict("induction", [head(1, 0.2, 0)], random).verdict).toMatch(
    /this model has no induction head/,
  );
  expect(headVerdict("induction", [head(1, 0.6, 7)], random).verdict).toBe(
    "Layer 1, head 2 copies clearly on random words.",
  );
  expect(headVerdict("sameToken", [head(1, 0.1)], { tried: 0, isRandom: true }).verdict).toBe(
    "No head attends to an earlier copy of its token clearly on random words.",
  );
});

test("other patterns have a verdict, too", () => {
  const verdict = (...scores: number[]) =>
    headVerdict(
      "previousToken",
      scores.map((score, i) => head(i, score)),
      { tried: 0, isRandom: false },
    ).verdict;
  expect(verdict(0.1)).toBe("No head attends to the token before clearly on this text.");
  expect(verdict(0.9, 0.1)).toBe("Layer 0, head 2 attends to the token before clearly on this text.");
  expect(verdict(0.9, 0.8)).toBe(
    "Layer 0, head 2 and Layer 1, head 2 attend to the token before clearly on this text.",
  );
  expect(verdict(0.9, 0.8, 0.7, 0.6)).toMatch(/; Layer 2, head 2 and 1 more head attend /);
});

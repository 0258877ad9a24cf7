import { expect, test } from "vitest";
import { keptTokens } from "./kept-tokens.js";

const none = { first: 0, last: 0 };

test("of tokens with equal scores, the newest are retained, in order", () => {
  expect(keptTokens([0, 1, 2, 3], [5, 0, 5, 5], 4, { budget: 2, ...none })).toEqual([2, 3]);
});

test("scores are averaged over the heads, and the first and last tokens are retained whatever their scores", () => {
  // Means of both heads: 3, 4, 0, 1, 0.
  const scores = [6, 1, 0, 2, 0, 0, 7, 0, 0, 0];
  expect(keptTokens([0, 1, 2, 3, 4], scores, 5, { budget: 2, ...none })).toEqual([0, 1]);
  expect(keptTokens([0, 1, 2, 3, 4], scores, 5, { budget: 3, first: 1, last: 2 })).toEqual([0, 3, 4]);
});

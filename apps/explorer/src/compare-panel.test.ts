import { expect, test } from "vitest";
import { effectText, largestPatches } from "./compare-panel";

const map = {
  names: ["layers.0.output", "layers.1.output"],
  columns: 3,
  // Both texts: 2 and 0. The last of them is the answer itself.
  values: Float32Array.of(2, 1, 2.5, 3.75, NaN, 0),
  ...{ unpatched: 2, source: 0 },
};

test("patches are listed by magnitude, those that lead away among them, without the answer itself", () => {
  expect(largestPatches(map, "position").map(({ row, column }) => [row, column])).toEqual([
    [1, 0],
    [0, 1],
    [0, 2],
    [0, 0],
  ]);
  expect(largestPatches(map, "head")[0]).toEqual({ row: 1, column: 2 });
});

test("an effect is the fraction of the logit difference that is restored, with its sign", () => {
  expect(effectText(map, 1)).toBe("+0.50");
  expect(effectText(map, 3.75)).toBe("−0.88");
  expect(effectText(map, 0)).toBe("+1.00");
});

test("of a tiny difference an effect is the change in logits", () => {
  expect(effectText({ unpatched: 2, source: 2.05 }, 3)).toBe("+1.00");
  expect(effectText({ unpatched: 2, source: 2 }, 1.5)).toBe("−0.50");
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { shownToken } from "./generation/model.js";
import { phases, stageAt } from "./generation/steps.js";
import { percentsThatAddUp, unitsThatAddUp, weightTexts } from "./percents.js";

test("property: parts of 1 add up to 100.0% as printed, and none is off by 0.1 or more", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }),
      (list) => {
        const sum = list.reduce((a, b) => a + b, 0);
        fc.pre(sum > 1e-3);
        const parts = list.map((part) => part / sum);
        const printed = percentsThatAddUp(parts).map(parseFloat);
        expect(printed.reduce((a, b) => a + b, 0)).toBeCloseTo(100, 9);
        printed.forEach((each, i) => expect(Math.abs(each - 100 * parts[i]!)).toBeLessThan(0.1));
      },
    ),
  );
});

test("parts that are whole units stay; parts that sum to 0 give 0", () => {
  expect(percentsThatAddUp([0.5, 0.25, 0.25])).toEqual(["50.0%", "25.0%", "25.0%"]);
  expect(weightTexts([1 / 3, 1 / 3, 1 / 3])).toEqual(["0.34", "0.33", "0.33"]);
  expect(unitsThatAddUp([0, 0], 10)).toEqual([0, 0]);
});

test("a stage: earlier phases are done, later ones have not begun", () => {
  expect(stageAt(0, 0.3)).toMatchObject({ token: 0, phase: "read", read: 0.3, predict: 0, draw: 0 });
  expect(stageAt(phases.length + 3, 0.5)).toMatchObject({
    token: 1,
    phase: "top-p",
    temperature: 1,
    "top-p": 0.5,
    draw: 0,
  });
});

test("a token is drawn without its space, a long one cut, white space as a symbol", () => {
  expect([" cat", "\n", " ", "aVeryLongTokenOfLetters"].map(shownToken)).toEqual([
    "cat",
    "⏎",
    "␣",
    "aVeryLongTo…",
  ]);
});

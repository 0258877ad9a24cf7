import fc from "fast-check";
import { expect, test } from "vitest";
import type { Step } from "./figure.js";
import { timeline } from "./timeline.js";

const steps = (...chapters: string[]): Step[] =>
  chapters.map((chapter, i) => ({ id: `${i}`, chapter, title: "", text: "", milliseconds: 1 }));

test("consecutive steps of one chapter share an interval; a short chapter has room for its name", () => {
  const { chapters } = timeline(steps("Input", "Scores", "Scores", "Scores", "Output"), 300);
  expect(chapters.map(({ name, first, count }) => [name, first, count])).toEqual([
    ["Input", 0, 1],
    ["Scores", 1, 3],
    ["Output", 4, 1],
  ]);
  for (const { from, to } of chapters) expect((to - from) * 300).toBeGreaterThan(40);
  expect(chapters[1]!.to - chapters[1]!.from).toBeGreaterThan(chapters[0]!.to);
});

test("property: positions on the scrubber and moments map to each other", () => {
  const names = fc.array(fc.constantFrom("A", "Longer", "C"), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(names, fc.double({ min: 0, max: 1, noNaN: true }), (list, place) => {
      const line = timeline(steps(...list), 400);
      const { step, progress } = line.moment(place);
      expect(line.place(step, progress)).toBeCloseTo(place, 6);
    }),
  );
});

test("the ends are the first moment and the last", () => {
  const line = timeline(steps("A", "B", "B"), 10);
  expect(line.moment(0)).toEqual({ step: 0, progress: 0 });
  expect(line.moment(1)).toEqual({ step: 2, progress: 1 });
  expect(line.place(2, 1)).toBe(1);
});

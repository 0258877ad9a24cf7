import fc from "fast-check";
import { expect, test } from "vitest";
import { tableOf } from "./table-of.js";
import { trainingCsv, trainingView } from "./training-view.js";

const run = [
  { step: 1, loss: 4, learningRate: 0.1, tokensPerSecond: 1000 },
  { step: 2, loss: 3, evaluation: 3.5, learningRate: 0.2, tokensPerSecond: 1100 },
  { step: 3, loss: 2, evaluation: null, learningRate: 0.1 },
];
const rows = (svg: string) => tableOf(svg).rows.map(({ name, value }) => `${name}: ${value}`);

test("losses are drawn at their steps, held-back ones where they were measured", () => {
  expect(rows(trainingView(run))).toEqual([
    "loss, step 1: 4",
    "loss, step 2: 3",
    "loss, step 3: 2",
    "held-back loss, step 2: 3.5",
  ]);
  expect(rows(trainingView([{ step: 7, loss: 1 }]))).toEqual(["loss, step 7: 1"]);
  expect(tableOf(trainingView(run)).description).toBe(
    "A run of 3 steps. At its end: loss 2, held-back loss 3.5.",
  );
});

test("`show` draws the learning rate or the speed", () => {
  expect(rows(trainingView(run, { show: "learningRate" }))).toContain("learning rate, step 2: 0.2");
  expect(rows(trainingView(run, { show: "tokensPerSecond" }))).toEqual([
    "tokens per second, step 1: 1,000",
    "tokens per second, step 2: 1,100",
  ]);
});

test("property: a long run is drawn as 200 points, with the mean of the run if intervals are equal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5 }), fc.nat(), (times, seed) => {
      const losses = Array.from({ length: 200 * times }, (_, i) => ((i * 7919 + seed) % 97) / 97);
      const svg = trainingView(losses.map((loss, i) => ({ step: i + 1, loss })));
      const drawn = tableOf(svg).rows.map(({ value }) => Number(value));
      const mean = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
      expect(drawn).toHaveLength(200);
      expect(mean(drawn)).toBeCloseTo(mean(losses), 3);
    }),
    { numRuns: 5 },
  );
});

test("CSV has no columns that are empty in all steps", () => {
  expect(trainingCsv(run)).toBe(
    "step,loss,heldBackLoss,learningRate,tokensPerSecond\n1,4,,0.1,1000\n2,3,3.5,0.2,1100\n3,2,,0.1,\n",
  );
  expect(trainingCsv([{ step: 1, loss: 4 }])).toBe("step,loss\n1,4\n");
});

test.each([
  [[], {}, "trainingView: `run` is "],
  [[{ step: 1, loss: NaN }], {}, "`run[0].loss` is NaN"],
  [[{ step: 1, loss: 1, evaluation: Infinity }], {}, "`run: held-back loss of step 1` is Infinity"],
  [
    [{ step: 1, loss: 1 }],
    { show: "learningRate" },
    '`run` is "no step with learningRate", expected one or more',
  ],
  [[{ step: 1, loss: 1 }], { show: "speed" }, '`show` is "speed", expected "loss", "learningRate" or'],
  [{ step: 1 }, {}, "`run` is "],
])("%j with %j is refused", (wrong, options, message) => {
  expect(() => trainingView(wrong as never, options as never)).toThrow(message);
});

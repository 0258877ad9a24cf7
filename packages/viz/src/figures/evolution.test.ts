import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import type { Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";
import { flopsText, fullScale } from "./evolution/cost-bars.js";
import { evolution } from "./evolution.js";
import type { EvolutionModel, EvolutionStep, WeightMap } from "./evolution/model.js";

const words = ["a", "b", "c", "d"];
const even: WeightMap = words.map(() => words.map(() => 0.25));
const causal: WeightMap = words.map((_, i) => words.map((_, j) => (j <= i ? 1 / (i + 1) : null)));
const step = (
  id: string,
  drawing: EvolutionStep["drawing"],
  weights: readonly WeightMap[],
  cost: [cache: number, flops: number],
): EvolutionStep => ({
  id,
  year: "2017",
  name: id,
  title: `${id} attention`,
  paper: { title: "A paper", authors: "A. Author", url: "https://example.org/" },
  problem: "It was slow.",
  change: "Now it is not.",
  formula: "softmax(Q K)",
  diff: [
    "- const weights = softmax(scores);",
    "+ const weights = softmax(where(visible, scores, -Infinity));",
  ],
  seen: "Words.",
  drawing,
  weights,
  cacheBytesPerToken: cost[0],
  flopsPerToken: cost[1],
  cacheText: "2 · C numbers",
  workText: "S · C",
});
const model: EvolutionModel = {
  words,
  translation: ["A", "B", "C", "D"],
  written: 3,
  reference: "One layer.",
  steps: [
    step("additive", { decoder: true, network: true, numHeads: 1, numKvHeads: 1 }, [even], [16384, 8e8]),
    step("self", { numHeads: 1, numKvHeads: 1 }, [even], [0, 2e13]),
    step("causal", { numHeads: 1, numKvHeads: 1 }, [causal], [16384, 5e8]),
    step("multi-head", { numHeads: 4, numKvHeads: 4 }, [causal, causal, causal, causal], [16384, 5e8]),
    step("window", { numHeads: 4, numKvHeads: 2, window: 2 }, [causal, causal, causal, causal], [512, 6e7]),
  ],
};
const at = (index: number, progress = 1, width = 1120, compare = ""): Scene =>
  evolution.scene(model, { compare }, { step: index, progress }, width);
const keys = ({ marks }: Scene, start: string) => marks.filter(({ key }) => key.startsWith(start));

test("each step has its queries, its rows of keys and values, and a map for each head", () => {
  expect(keys(at(0), "query:")).toHaveLength(3); // the words that were written
  expect(keys(at(0), "network")).toHaveLength(2);
  expect(keys(at(1), "query:")).toHaveLength(4);
  expect(keys(at(1), "wire:")).toHaveLength(16);
  expect(keys(at(2), "wire:")).toHaveLength(10); // none to later words
  for (const [index, rows] of [
    [3, 4],
    [4, 2],
  ] as const) {
    expect(keys(at(index), "key:")).toHaveLength(rows * 4);
    expect(keys(at(index), "value:")).toHaveLength(rows * 4);
    expect(keys(at(index), "head-wire:")).toHaveLength(4);
    expect(at(index).marks.filter(({ key }) => /^map:\d:\d:\d$/.test(key))).toHaveLength(4 * 16);
  }
  expect(keys(at(4), "key:").filter(({ dash }) => dash)).toHaveLength(2 * 2); // dropped by the window
});

test("a cell reads the weight of the model, or that it is masked", () => {
  const ariaLabel = (index: number, key: string) =>
    at(index).marks.find((mark) => mark.key === key)?.ariaLabel;
  expect(ariaLabel(2, "map:0:3:1")).toBe("weight of “b” for “d”: 0.25");
  expect(ariaLabel(3, "map:2:1:0")).toBe("head 2, weight of “a” for “b”: 0.50");
  expect(ariaLabel(2, "map:0:0:1")).toBe("“a” may not see “b”");
  expect(ariaLabel(0, "map:0:3:1")).toBe("“D” is not written yet");
});

test("rows and maps grow out of those of the previous step, and texts never overlap", () => {
  const early = at(3, 0.01);
  const [first, second] = ["key:0:1", "key:2:1"].map((key) => early.marks.find((mark) => mark.key === key)!);
  expect(Math.abs(second!.y - first!.y)).toBeLessThan(1);
  for (const t of [0.2, 0.5, 0.8]) {
    const titles = keys(at(3, t), "text:title").map(({ text }) => text);
    expect(titles).toEqual([t < 0.5 ? "causal attention" : "multi-head attention"]);
  }
  for (const { steps } of [model])
    for (const index of steps.keys()) {
      const all = at(index, 0.4).marks.map(({ key }) => key);
      expect(new Set(all).size).toBe(all.length);
    }
});

test("bars share one scale, and longer bars are cut off", () => {
  expect(fullScale(model)).toEqual({ cache: 16384, work: 8e8 });
  const bar = (index: number, id: string) => at(index).marks.find(({ key }) => key === `cost:${id}:bar`)!;
  expect(bar(4, "cache").width! / bar(3, "cache").width!).toBeCloseTo(512 / 16384);
  expect(keys(at(1), "cost:work:cut")).toHaveLength(1);
  expect(keys(at(2), "cost:work:cut")).toHaveLength(0);
  expect([542113792, 17597554753536, 12].map(flopsText)).toEqual([
    "542 million operations",
    "17.6 trillion operations",
    "12 operations",
  ]);
});

test("two steps stand side by side, or one below the other on a phone", () => {
  const place = (width: number) => {
    const scene = at(3, 1, width, "causal");
    const [a, b] = ["word:0", "other:word:0"].map((key) => scene.marks.find((mark) => mark.key === key)!);
    return { beside: b!.y === a!.y, below: b!.y > a!.y };
  };
  expect(place(1120)).toEqual({ beside: true, below: false });
  expect(place(358)).toEqual({ beside: false, below: true });
  const [compare] = evolution.controls(model, evolution.initial);
  expect(compare).toMatchObject({ key: "compare", options: { length: 6 } });
});

test("a press on the timeline goes to its step", () => {
  expect(evolution.press!(model, evolution.initial, "time:0:2")).toEqual({ step: "causal" });
  expect(evolution.press!(model, evolution.initial, "map0:1:1")).toBeUndefined();
  expect(player(evolution).start(model).step).toBe(4);
  expect(evolution.table(model, evolution.initial, 0).rows[4]!.slice(0, 4)).toEqual([
    "2017",
    "window attention",
    512,
    6e7,
  ]);
  expect(figureSvg(evolution, model, { step: "self" })).toContain("<desc>self attention, 2017.");
});

test.each([320, 358, 700, 1120])("at %i pixels letters have 11 px and stand in the picture", (width) => {
  for (const index of model.steps.keys()) {
    const { marks, height } = at(index, 1, width);
    expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
    for (const { x, y, text = "", size = 12, anchor, font } of marks.filter(({ kind }) => kind === "text")) {
      expect(size, text).toBeGreaterThanOrEqual(11);
      const wide = font === "mono" ? 7.25 * text.length : (labelWidth([text]) * size) / 12;
      expect(x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1)), text).toBeLessThanOrEqual(
        width,
      );
      expect(y, text).toBeLessThanOrEqual(height);
    }
  }
});

import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { encoderDecoderAttention, type EncoderDecoderAttentionModel } from "./encoder-decoder-attention.js";
import { stepId } from "./encoder-decoder-attention/steps.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";

// Three letters in, two out, vectors of 8: distinct numbers, not those of a model.
const vector = (seed: number) => Array.from({ length: 8 }, (_, i) => Math.sin(seed + i));
const decoded = (letter: string, t: number, weights: number[]) => ({
  letter,
  probability: 0.9,
  second: { letter: "x", probability: 0.05 },
  state: vector(t),
  projectedQuery: vector(10 + t),
  scores: weights.map(Math.log),
  weights,
  context: vector(20 + t),
  next: vector(t + 1),
});
const model: EncoderDecoderAttentionModel = {
  source: ["3", " ", "M"],
  target: "19",
  annotations: [vector(1), vector(2), vector(3)],
  projectedKeys: [vector(4), vector(5), vector(6)],
  scoreWeights: vector(7),
  decoded: [decoded("1", 0, [0.2, 0.1, 0.7]), decoded("9", 1, [0.8, 0.15, 0.05])],
  madeBy: "Made up",
};
const choices = encoderDecoderAttention.initial;
const steps = encoderDecoderAttention.steps(model, choices);
const at = (id: string, progress = 1, width = 1120, focus?: string) => {
  const step = steps.findIndex((each) => each.id === id);
  return encoderDecoderAttention.scene(model, choices, { step, progress, focus }, width);
};
const keys = (id: string, progress?: number) => at(id, progress).marks.map(({ key }) => key);

test("steps: two for the encoder, then four for each letter", () => {
  expect(steps.map(({ id }) => id)).toEqual([
    "forward",
    "backward",
    ...[0, 1].flatMap((t) => (["score", "weights", "context", "letter"] as const).map((p) => stepId(p, t))),
  ]);
  expect(player(encoderDecoderAttention).start(model, choices).step).toBe(steps.length - 1);
});

test("annotations appear letter by letter, one direction after the other", () => {
  expect(keys("forward", 0)).not.toContain("annotation:0:plus:5");
  const cells = (id: string, progress: number, letter: number) =>
    at(id, progress).marks.filter(({ key }) => key.startsWith(`annotation:${letter}:`)).length;
  expect(cells("forward", 0.5, 0)).toBeGreaterThan(0);
  expect(cells("forward", 0.5, 2)).toBe(0);
  expect(cells("backward", 1, 2)).toBeGreaterThan(cells("forward", 1, 2));
});

test("weights, context and output appear in their steps", () => {
  expect(keys("score-0")).toContain("ask:0");
  expect(keys("score-0")).not.toContain("weight:0");
  expect(keys("weights-0")).toContain("weight:0");
  expect(keys("weights-0")).not.toContain("mix:0");
  expect(keys("context-0")).toContain("mix:0");
  const output = (id: string) => at(id).marks.find(({ key }) => key === "output:0")?.text;
  expect([output("context-0"), output("letter-0")]).toEqual(["?", "1"]);
});

test("the alignment has a row of weights for each letter that was written", () => {
  const rows = (id: string) =>
    [0, 1].map((t) => at(id).marks.find(({ key }) => key === `alignment:${t}:0`)?.fill);
  expect(rows("score-0")).toEqual([undefined, undefined]);
  expect(rows("weights-0")).toEqual(["weight", undefined]);
  expect(rows("letter-1")).toEqual(["weight", "weight"]);
});

test("the arithmetic is that of the focused source letter, else of the highest score", () => {
  const title = (focus?: string) =>
    at("letter-1", 1, 1120, focus).marks.find(({ key }) => key === "arithmetic:title")?.text;
  expect(title()).toBe("Score of “3”, letter 1");
  expect(title("source:0:2")).toBe("Score of “M”, letter 3");
  expect(title("align:0:1")).toBe("Score of “␣”, letter 2");
});

test("a press on an output letter, or on a row of the alignment, goes to it", () => {
  const press = (cell: string) => encoderDecoderAttention.press!(model, choices, cell);
  expect(press("output:0:1")).toEqual({ step: "letter-1" });
  expect(press("align:0:2")).toEqual({ step: "letter-0" });
  expect(press("source:0:2")).toBeUndefined();
  expect(press("output:0:9")).toBeUndefined();
});

test.each([320, 390, 1280])("at %i pixels keys are unique, and all marks are inside the picture", (width) => {
  for (const { id } of steps) {
    for (const progress of [0, 0.5, 1]) {
      const { marks, height } = at(id, progress, width);
      expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
      for (const { kind, x, y, width: w = 0, height: h = 0, text = "", anchor, size = 12 } of marks) {
        if (kind === "path") continue;
        if (kind === "text") expect(size).toBeGreaterThanOrEqual(11);
        const long = kind === "text" ? (labelWidth([text]) * size) / 12 : w;
        const from = anchor === "middle" ? x - long / 2 : anchor === "end" ? x - long : x;
        expect(from).toBeGreaterThanOrEqual(-1);
        expect(from + long).toBeLessThanOrEqual(width + 1);
        expect(y + h).toBeLessThanOrEqual(height);
      }
    }
  }
});

test("the SVG of a moment has a description, and the table the numbers of its step", () => {
  expect(figureSvg(encoderDecoderAttention, model, { width: 390 })).toContain("written so far: “19”");
  const last = encoderDecoderAttention.table(model, choices, steps.length - 1);
  expect(last.rows[0]).toEqual([1, "3", Math.log(0.8).toFixed(4), "0.8000"]);
});

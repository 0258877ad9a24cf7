import { modelTiny } from "@qkv/model-tiny";
import { load } from "@qkv/transformer";
import { figureSvg, player, type Mark, type Scene } from "@qkv/viz/figures";
import { attentionCall, type AttentionCallModel } from "@qkv/viz/figures/attention-call";
import { beforeAll, describe, expect, test } from "vitest";
import { attentionCallExample, attentionCallModel } from "./attention-call-model.js";
import { casesByTier } from "../../../scripts/tier.mjs";

let models: Record<string, AttentionCallModel>;
beforeAll(async () => {
  const tiny = await load(await modelTiny());
  const text = "The old dog was happy because it found a bone.";
  models = {
    example: await attentionCallExample(),
    "example, no mask": await attentionCallExample({ mask: "none", temperature: 2 }),
    "example, window": await attentionCallExample({ mask: "window" }),
    model: await attentionCallModel(tiny, text, { head: 6 }),
    "one token": await attentionCallModel(tiny, "dog"),
  };
});
const names = ["example", "example, no mask", "example, window", "model", "one token"];
const { initial } = attentionCall;
const fixed = (value: number, digits = 2) => {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
};
const seen = ({ marks }: Scene) => marks.filter(({ opacity = 1 }) => opacity > 0.5);
const cellMark = (scene: Scene, cell: string) => scene.marks.find((mark) => mark.cell === cell);
const stepScene = (model: AttentionCallModel, id: string, width = 1200, token = 2, progress = 1) => {
  const choices = { ...initial, token };
  const step = attentionCall.steps(model, choices).findIndex((each) => each.id === id);
  expect(step, id).toBeGreaterThanOrEqual(0);
  return attentionCall.scene(model, choices, { step, progress }, width);
};

describe.each(casesByTier(names, (name) => name === "one token"))("%s", (name) => {
  test("each moment, at each width: keys are unique, numbers finite, letters 11 px or more, marks inside", () => {
    const model = models[name]!;
    for (const token of [0, model.tokens.length - 1]) {
      const choices = { ...initial, token };
      attentionCall.steps(model, choices).forEach((step, index) => {
        for (const width of name === "model" ? [390, 1280] : [320, 390, 900, 1280]) {
          for (const progress of [0.37, 1]) {
            const { marks, height } = attentionCall.scene(model, choices, { step: index, progress }, width);
            expect(new Set(marks.map(({ key }) => key)).size, step.id).toBe(marks.length);
            for (const mark of marks) {
              for (const field of ["x", "y", "width", "height", "opacity", "fillOpacity"] as const) {
                if (mark[field] !== undefined)
                  expect(mark[field], `${step.id} ${mark.key} ${field}`).toSatisfy(Number.isFinite);
              }
              if ((mark.opacity ?? 1) < 0.5) continue;
              if (mark.text) expect(mark.size ?? 12, `${step.id} ${mark.key}`).toBeGreaterThanOrEqual(11);
              if (mark.kind !== "rect" || progress < 1) continue;
              expect(mark.x, `${step.id} ${mark.key} at ${width}`).toBeGreaterThanOrEqual(-2);
              expect(mark.x + mark.width!, `${step.id} ${mark.key} at ${width}`).toBeLessThanOrEqual(
                width + 2,
              );
              expect(mark.y + mark.height!, `${step.id} ${mark.key} at ${width}`).toBeLessThanOrEqual(height);
            }
          }
        }
      });
    }
  });

  test("the finished picture has every weight of @qkv/attention, and hatches masked cells", () => {
    const model = models[name]!;
    const scene = stepScene(model, "whole", 1280, 0);
    const T = model.tokens.length;
    for (let q = 0; q < T; q++) {
      for (let k = 0; k < T; k++) {
        const mark = cellMark(scene, `a:${q}:${k}`)!;
        const masked = model.seen.data[q * T + k] === 0;
        expect(mark.hatch).toBe(masked ? 1 : 0);
        expect(mark.ariaLabel).toMatch(
          masked ? /: masked$/ : new RegExp(`: ${fixed(model.weights.data[q * T + k]!)}$`),
        );
      }
    }
  });

  test("every focused cell has its arithmetic", () => {
    const model = models[name]!;
    const scene = stepScene(model, "whole", 1280, 0);
    const cells = scene.marks.flatMap(({ cell }) => cell ?? []);
    for (const cell of cells.filter((_, i) => cells.length < 150 || i % 7 === 0)) {
      const { step } = player(attentionCall).start(model);
      const focused = attentionCall.scene(model, initial, { step, progress: 1, focus: cell }, 1280);
      expect(
        focused.marks.some(({ key }) => key.startsWith("ring:")),
        cell,
      ).toBe(true);
      expect(new Set(focused.marks.map(({ key }) => key)).size, cell).toBe(focused.marks.length);
    }
  });
});

test("a score: its query row, its key column, and products that add up as printed", () => {
  const model = models["example"]!;
  const scene = stepScene(model, "score-1");
  const text = (key: string) => scene.marks.find((mark: Mark) => mark.key === key)?.text;
  const products = [0, 1, 2, 3].map((d) => text(`bench:product:${d}`));
  expect(products).toEqual([0, 1, 2, 3].map((d) => fixed(model.query.data[8 + d]! * model.key.data[4 + d]!)));
  expect(text("bench:sum")).toBe(fixed(model.dots.data[13]!));
  expect(text("bench:equals")).toBe("=");
  const lit = seen(scene).filter(({ key }) => key.startsWith("ring:"));
  expect(lit.map(({ stroke }) => stroke)).toEqual(["query", "key", "weight"]);
});

test("softmax: bars of one row fill exactly 1, side by side", () => {
  for (const name of ["example", "model"]) {
    const scene = stepScene(models[name]!, "normalize");
    const bars = scene.marks.filter(({ key }) => key.startsWith("bench:bar:"));
    const track = scene.marks.find(({ key }) => key.startsWith("bench:track:"))!;
    const filled = bars.reduce((sum, { width }) => sum + width!, 0);
    expect(Math.abs(filled - track.width!)).toBeLessThan(track.width! * 0.01 + 4);
  }
});

test("the weighted sum of values is the output of @qkv/attention", () => {
  const model = models["example"]!;
  const scene = stepScene(model, "whole");
  for (let d = 0; d < 4; d++) {
    expect(scene.marks.find(({ key }) => key === `bench:o:${d}`)!.text).toBe(
      fixed(model.output.data[8 + d]!),
    );
    expect(cellMark(scene, `o:2:${d}`)!.ariaLabel).toContain(fixed(model.output.data[8 + d]!));
  }
});

test("the result of a step is invisible before it and visible after it", () => {
  const model = models["example"]!;
  for (const [id, cell] of [
    ["project-q", "q:2:0"],
    ["score-1", "s:2:1"],
    ["normalize", "a:2:1"],
    ["output-all", "o:0:0"],
  ] as const) {
    expect(cellMark(stepScene(model, id, 1200, 2, 0), cell), id).toBeUndefined();
    expect(cellMark(stepScene(model, id), cell)?.opacity, id).toBe(1);
  }
});

test("long products show their largest terms and the sum of the rest", () => {
  const model = models["model"]!;
  const scene = stepScene(model, "score-3", 1200, 5);
  const terms = scene.marks.filter(({ key }) => key.startsWith("bench:product:"));
  expect(terms).toHaveLength(6);
  const rest = scene.marks.find(({ key }) => key === "bench:rest")!;
  const total = model.dots.data[5 * model.tokens.length + 3]!;
  const number = (text: string | undefined) => Number(text!.replace("−", "-"));
  const sum = terms.reduce((all, { text }) => all + number(text), number(rest.text));
  expect(Math.abs(sum - total)).toBeLessThan(0.05);
});

test("the formula goes to steps that exist, for every token and mask", () => {
  for (const model of Object.values(models)) {
    for (let token = 0; token < model.tokens.length; token++) {
      const choices = { ...initial, token };
      const ids = attentionCall.steps(model, choices).map(({ id }) => id);
      for (const { step } of attentionCall.formula!(model, choices)) expect(ids).toContain(step);
    }
  }
});

test("an unknown address highlights nothing", () => {
  const model = models["example"]!;
  for (const focus of ["", "x", "s:9:9", "s:-1:0", "toString:0:0", "s:1:1e1", "wq:0"]) {
    expect(() => attentionCall.scene(model, initial, { step: 0, progress: 1, focus }, 390)).not.toThrow();
  }
});

test("the SVG of a moment is smaller than its limit", () => {
  expect(figureSvg(attentionCall, models["example"]!).length).toBeLessThan(100_000);
});

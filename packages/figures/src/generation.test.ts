import { modelTiny } from "@qkv/model-tiny";
import { load, type Model } from "@qkv/transformer";
import { figureSvg, fromPermalink, player, toPermalink, type Mark, type Scene } from "@qkv/viz/figures";
import { generation, type GenerationChoices, type GenerationModel } from "@qkv/viz/figures/generation";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier } from "../../../scripts/tier.mjs";
import { generationModel } from "./generation-model.js";

const { initial } = generation;
const moo = "The cow says moo. What does the cow say? The";
const cases: Record<string, Partial<GenerationChoices>> = {
  first: {},
  "another branch": { branch: "*.r0", head: -1 },
  rolling: { cache: "rolling", tokens: 8 },
  quantized: { cache: "quantized" },
  draft: { text: moo, draft: "prompt-lookup", seed: 1 },
  greedy: { temperature: 0, tokens: 12 },
  hot: { temperature: 2, topP: 1, seed: 9, tokens: 12 },
  "no text": { text: "" },
};
let tiny: Model;
const models: Record<string, GenerationModel> = {};
beforeAll(async () => {
  tiny = await load(await modelTiny());
  for (const [name, choices] of Object.entries(cases)) models[name] = await generationModel(tiny, choices);
});
const caseChoices = (name: string) => ({ ...initial, ...cases[name] });
const stepScene = (
  name: string,
  id: string,
  { width = 1120, progress = 1, focus = undefined as string | undefined } = {},
) => {
  const [model, choices] = [models[name]!, caseChoices(name)];
  const step = generation.steps(model, choices).findIndex((each) => each.id === id);
  expect(step, id).toBeGreaterThanOrEqual(0);
  return generation.scene(model, choices, { step, progress, focus }, width);
};
const findMark = ({ marks }: Scene, key: string) => marks.find((mark) => mark.key === key);
const starts = ({ marks }: Scene, start: string) => marks.filter(({ key }) => key.startsWith(start));
const number = (text: string | undefined) => Number(text!.replace("%", ""));

/** Marks that are invalid, too small to read, or outside of the scene. */
function faults({ marks, width, height }: Scene): string[] {
  const keys = new Set<string>();
  return marks.flatMap((mark) => {
    const { key, kind, x, y, width: w = 0, height: h = 0, text = "", size = 12 } = mark;
    const twice = keys.has(key);
    keys.add(key);
    const numbers = [x, y, w, h, mark.opacity ?? 1, mark.fillOpacity ?? 1];
    const inside = kind !== "rect" || (x >= -1 && y >= -1 && x + w <= width + 1 && y + h <= height + 1);
    return [
      ...(twice ? [`${key} twice`] : []),
      ...(numbers.every(Number.isFinite) ? [] : [`${key} has ${numbers.join(" ")}`]),
      ...(text === "" || size >= 11 ? [] : [`${key} has letters of ${size}`]),
      ...(inside ? [] : [`${key} is outside`]),
    ];
  });
}

describe.each(casesByTier(Object.keys(cases), (name) => name === "hot"))("%s", (name) => {
  test("each moment, at each width: keys are unique, numbers finite, letters 11 px or more, marks inside", () => {
    const [model, choices] = [models[name]!, caseChoices(name)];
    generation.steps(model, choices).forEach((_, step) => {
      for (const width of [320, 390, 1280])
        for (const progress of [0.37, 0.8, 1])
          expect(
            faults(generation.scene(model, choices, { step, progress }, width)),
            `step ${step}, ${progress}, width ${width}`,
          ).toEqual([]);
    });
  });

  test("each token: printed probabilities are those of the model and add up to 100.0%; bars are as long as they are large", () => {
    const model = models[name]!;
    model.generated.forEach(({ candidates, taken }, token) => {
      const scene = stepScene(name, `draw-${token}`);
      (["probability", "tempered", "kept"] as const).forEach((field, stage) => {
        const printed = candidates.map(
          (_, row) => findMark(scene, `candidate:${row}:${stage}:number`)!.text!,
        );
        const rest = findMark(scene, `others:${stage}`)!.text!;
        const sum = [...printed, rest].reduce(
          (all, text) => all + (text === "cut" ? 0 : parseFloat(text)),
          0,
        );
        expect(sum, `${token} ${field}`).toBeCloseTo(100, 6);
        candidates.forEach((one, row) => {
          if (printed[row] === "cut") return expect(one.kept).toBe(0);
          expect(Math.abs(number(printed[row]) / 100 - one[field]), `${token} ${field} ${row}`).toBeLessThan(
            0.001,
          );
        });
      });
      const [first, other] = [0, taken === 0 ? 1 : taken].map(
        (row) => findMark(scene, `candidate:${row}:0`)!.width!,
      );
      expect(other! / first!).toBeCloseTo(
        candidates[taken === 0 ? 1 : taken]!.probability / candidates[0]!.probability,
        5,
      );
    });
  });

  test("each token: the traced weights are printed above the words, and add up to 1.00", () => {
    const [model, choices] = [models[name]!, caseChoices(name)];
    model.generated.forEach(({ weights, cache }, token) => {
      const scene = stepScene(name, `read-${token}`);
      const own =
        weights[choices.head] ??
        weights[0]!.map((_, j) => weights.reduce((sum, row) => sum + row[j]! / 16, 0));
      let sum = 0;
      own.forEach((weight, j) => {
        const printed = findMark(scene, `weight:${j}:text`)!.text!;
        if (cache[j] === "evicted") return expect(printed).toBe("–");
        expect(Math.abs(Number(printed) - weight)).toBeLessThan(0.01);
        expect(findMark(scene, `weight:${j}`)!.ariaLabel).toContain(weight.toFixed(3));
        sum += Number(printed);
      });
      expect(sum).toBeCloseTo(1, 6);
    });
  });

  test("the random number is in the interval of the selected token", () => {
    const model = models[name]!;
    model.generated.forEach(({ draw, taken, candidates }, token) => {
      const scene = stepScene(name, `draw-${token}`);
      const drawn = findMark(scene, "draw:mark");
      if (draw === undefined) return expect(drawn).toBeUndefined();
      const segment = findMark(scene, `draw:segment:${taken}`)!;
      expect(drawn!.x).toBeGreaterThanOrEqual(segment.x - 1);
      expect(drawn!.x).toBeLessThanOrEqual(segment.x + segment.width! + 1);
      expect(findMark(scene, "draw:number")!.text).toContain(candidates[taken]!.text.trim().slice(0, 8));
    });
  });
});

test("steps: one for the prompt, then five for each token", () => {
  const steps = generation.steps(models["first"]!, initial);
  expect(steps.map(({ id }) => id).slice(0, 6)).toEqual([
    "read-0",
    "predict-0",
    "temperature-0",
    "top-p-0",
    "draw-0",
    "read-1",
  ]);
  expect(steps).toHaveLength(25);
  expect(steps[0]!.title).toBe("Prefill: 5 tokens of the prompt at once");
  expect(steps[0]!.text).toContain("“the” attends most to “cat”: 0.82 in layer 3, head 3.");
  expect(player(generation).start(models["first"]!).step).toBe(24);
});

test("the cache has a column for each token that was read", () => {
  const held = (scene: Scene) =>
    starts(scene, "cache:0:").filter(({ key, opacity }) => key.endsWith(":key") && opacity! > 0).length;
  expect(held(stepScene("first", "read-0", { progress: 0 }))).toBe(0);
  expect(held(stepScene("first", "read-0"))).toBe(5);
  expect(held(stepScene("first", "draw-0"))).toBe(5); // “mat” is written, but not read
  expect(held(stepScene("first", "read-1"))).toBe(6);
  expect(findMark(stepScene("first", "draw-4"), "note:0")!.text).toContain("9 tokens × 2,048 B = 18,432 B");
});

test("words keep their positions while the text grows, in one line if there is room", () => {
  const wordPositions = (token: number, width: number) =>
    [0, 1, 2, 3, 4].map((j) => findMark(stepScene("first", `draw-${token}`, { width }), `word:${j}`)!.x);
  for (const width of [390, 760, 1002, 1280])
    expect(wordPositions(0, width)).toEqual(wordPositions(4, width));
  for (const width of [760, 1002, 1280]) {
    const words = starts(stepScene("first", "draw-4", { width }), "word:");
    expect(new Set(words.map(({ y }) => y)).size, `${width}`).toBe(1);
  }
});

test("evicted tokens are hatched, and the probability with every token is given", () => {
  const scene = stepScene("rolling", "predict-2");
  expect([0, 1, 2, 3].map((j) => findMark(scene, `cache:0:${j}:box`)!.hatch)).toEqual([
    undefined,
    1,
    1,
    undefined,
  ]);
  expect(starts(scene, "candidate:").filter(({ key }) => key.endsWith(":exact")).length).toBeGreaterThan(0);
  const { text } = generation.steps(models["rolling"]!, caseChoices("rolling"))[2 * 5 + 1]!;
  expect(text).toContain("With every token in the cache, “Then” would have 77.3% instead of 2.3%");
});

test("the height of int8 columns is in proportion to their bytes", () => {
  const scene = stepScene("quantized", "draw-4");
  const [code, float] = [0, 8].map((j) => findMark(scene, `cache:3:${j}:key`)!.height!);
  expect(code! / float!).toBeCloseTo(800 / 2048, 6);
});

test("draft tokens follow the text until they are verified", () => {
  const scene = stepScene("draft", "predict-1");
  expect(starts(scene, "slot:").map(({ text }) => text)).toEqual(["say", "?", "The"]);
  expect(findMark(scene, "note:0")!.text).toContain(
    "and 3 draft tokens. Left half key, right half value. Pass 2 of 3 for 5 tokens.",
  );
  const told = generation
    .steps(models["draft"]!, caseChoices("draft"))
    .map(({ text, title }) => title + text);
  expect(told.some((text) => text.includes("The draft said “say”: rejected"))).toBe(true);
  expect(told.some((text) => text.includes("accepted, and already in the cache"))).toBe(true);
  expect(told.some((text) => text.includes("was in the draft: already computed"))).toBe(true);
});

test("a press on a candidate forks there, a press on a word goes to its step", async () => {
  const model = models["first"]!;
  const hill = model.generated[0]!.candidates.findIndex(({ text }) => text === " hill");
  const press = generation.press!(model, initial, `take:0:${hill}`)!;
  const name = `${model.promptName}.${model.generated[0]!.candidates[hill]!.id}`;
  expect(press).toEqual({ choices: { branches: `*.r0_*.r2_${name}`, branch: name }, step: "draw-0" });
  const forked = await generationModel(tiny, { ...initial, ...press.choices });
  expect(forked.generated[0]!.text).toBe(" hill");
  expect(forked.branches).toHaveLength(3); // *.r0 says the same

  const later = model.generated[4]!;
  const saw = later.candidates.findIndex(({ text }) => text === " saw");
  const deep = await generationModel(tiny, {
    ...initial,
    ...generation.press!(model, initial, `take:4:${saw}`)!.choices,
  });
  expect(deep.generated.map(({ text }) => text).join("")).toMatch(/^ mat\. Then it saw ./);
  expect(deep.generated.slice(0, 4).map(({ id }) => id)).toEqual(
    model.generated.slice(0, 4).map(({ id }) => id),
  );
  expect(deep.branches[deep.branch]).toMatchObject({ parent: 0, forkedAt: 4 });

  expect(generation.press!(model, initial, `take:0:${model.generated[0]!.taken}`)).toEqual({
    step: "draw-0",
  });
  expect(generation.press!(model, initial, "word:0:5")).toEqual({ step: "draw-0" });
  expect(generation.press!(model, initial, "word:0:0")).toBeUndefined();
  expect(generation.press!(model, initial, "branch:1:2")).toEqual({
    choices: { branch: "*.r0" },
    step: "draw-2",
  });
  expect(generation.press!(model, initial, "branch:0:2")).toEqual({ step: "draw-2" });
  for (const cell of ["take:9:0", "take:0:99", "branch:7:0", "weight:0:1", "", "x"])
    expect(generation.press!(model, initial, cell), cell).toBeUndefined();
});

test("a permalink contains the branches", () => {
  const model = models["another branch"]!;
  const choices = caseChoices("another branch");
  const text = toPermalink(generation, player(generation).start(model, choices));
  expect(text).toBe("head=-1&branch=*.r0");
  expect(fromPermalink(text, initial, generation.controls(model, choices)).choices).toMatchObject({
    branch: "*.r0",
    head: -1,
  });
});

test("the tree has a row for each branch, under the token at which it forks; words do not overlap", () => {
  for (const width of [320, 1120]) {
    const scene = stepScene("first", "draw-4", { width });
    const rows = new Map<number, Mark[]>();
    for (const mark of scene.marks.filter(({ cell }) => cell?.startsWith("branch:")))
      rows.set(mark.y, [...(rows.get(mark.y) ?? []), mark]);
    expect(rows.size).toBe(3);
    for (const row of rows.values())
      row.slice(1).forEach((mark, i) => expect(mark.x).toBeGreaterThanOrEqual(row[i]!.x + row[i]!.width!));
  }
  expect(starts(stepScene("first", "draw-4"), "tree:wire:")).toHaveLength(2);
  expect(findMark(stepScene("first", "draw-4"), "tree:0:odds")!.text).toBe("1 in 530");
});

test("the table has the numbers of the step, and the SVG of a moment is smaller than its limit", () => {
  const { rows, columns } = generation.table(models["first"]!, initial, 1);
  expect(columns).toHaveLength(5);
  expect(rows[0]![0]).toBe("hill");
  expect(Number(rows[0]![1])).toBeCloseTo(models["first"]!.generated[0]!.candidates[0]!.probability, 4);
  expect(rows).toHaveLength(9);
  expect(figureSvg(generation, models["first"]!).length).toBeLessThan(100_000);
});

test("an unknown address highlights nothing", () => {
  for (const focus of ["", "x", "weight:0:99", "take:0:1e1", "toString:0:0", "branch:9:9"])
    expect(() => stepScene("first", "draw-4", { focus })).not.toThrow();
});

import { modelTiny } from "@qkv/model-tiny";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { load } from "@qkv/transformer";
import { player, type Scene } from "@qkv/viz/figures";
import { transformerBlock, type TransformerBlockModel } from "@qkv/viz/figures/transformer-block";
import { beforeAll, describe, expect, test } from "vitest";
import { transformerBlockModel } from "./transformer-block-model.js";
import { casesByTier } from "../../../scripts/tier.mjs";

const text = "The cat sat on the";
let models: Record<string, TransformerBlockModel>;
beforeAll(async () => {
  const tiny = await load(await modelTiny());
  models = {
    "our small model": await transformerBlockModel(tiny, text),
    "without an MLP": await transformerBlockModel(tiny, text, { removed: "mlp-0" }),
    "without a head": await transformerBlockModel(tiny, text, { removed: "head-0-1" }),
    "a long text": await transformerBlockModel(
      tiny,
      "Once upon a time there was a little dog, and it was happy because it sat",
    ),
    "one token": await transformerBlockModel(tiny, "dog"),
    "a random GPT-2": await transformerBlockModel(randomDecoder("gpt2", tiny.tokenizer!), text),
  };
});
const names = [
  "our small model",
  "without an MLP",
  "without a head",
  "a long text",
  "one token",
  "a random GPT-2",
];
const { initial } = transformerBlock;
const fixed = (value: number, digits = 2) => {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
};
const signed = (value: number) => (Number(value.toFixed(2)) > 0 ? `+${fixed(value)}` : fixed(value));
const stepScene = (
  model: TransformerBlockModel,
  id: string,
  width = 1200,
  choices = initial,
  focus?: string,
) => {
  const step = transformerBlock.steps(model, choices).findIndex((each) => each.id === id);
  expect(step, id).toBeGreaterThanOrEqual(0);
  return transformerBlock.scene(model, choices, { step, progress: 1, focus }, width);
};
const markText = ({ marks }: Scene, key: string) => marks.find((mark) => mark.key === key)?.text;
const row = ({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }, index: number) =>
  Array.from(data).slice(index * shape.at(-1)!, (index + 1) * shape.at(-1)!);
const length = (x: readonly number[]) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

describe.each(casesByTier(names, (name) => name === "without a head"))("%s", (name) => {
  test("each moment, at each width: keys are unique, numbers finite, letters 11 px or more, marks inside", () => {
    const model = models[name]!;
    const choices = { ...initial, layer: 1, head: 1 };
    transformerBlock.steps(model, choices).forEach((step, index) => {
      for (const width of [320, 390, 900, 1280]) {
        for (const progress of name === "our small model" ? [0.1, 0.5, 0.9, 1] : [1]) {
          const { marks, height } = transformerBlock.scene(model, choices, { step: index, progress }, width);
          const keys = marks.map(({ key }) => key);
          expect(
            keys.filter((key, i) => keys.indexOf(key) !== i),
            `${step.id} at ${progress}`,
          ).toEqual([]);
          for (const mark of marks) {
            for (const field of ["x", "y", "width", "height", "opacity", "fillOpacity"] as const) {
              if (mark[field] !== undefined)
                expect(mark[field], `${step.id} ${mark.key} ${field}`).toSatisfy(Number.isFinite);
            }
            if (mark.text) expect(mark.size ?? 12, `${step.id} ${mark.key}`).toBeGreaterThanOrEqual(11);
            if (mark.kind !== "rect" || progress < 1) continue;
            expect(mark.x, `${step.id} ${mark.key} at ${width}`).toBeGreaterThanOrEqual(-2);
            expect(mark.x + mark.width!, `${step.id} ${mark.key} at ${width}`).toBeLessThanOrEqual(width + 2);
            expect(mark.y + mark.height!, `${step.id} ${mark.key} at ${width}`).toBeLessThanOrEqual(height);
          }
        }
      }
    });
  });

  test("the finished picture prints the norm of each vector, and the contribution of each part", () => {
    const model = models[name]!;
    const scene = stepScene(model, "whole", 1280);
    const t = model.tokens.length - 1;
    const target = model.next[t]![0]!;
    expect(markText(scene, "embedding:0/size-text")).toBe(fixed(length(row(model.stream[0]!, t))));
    model.writes.forEach((write, k) => {
      const key = `${k % 2 ? "mlp" : "attention"}:${k}`;
      expect(markText(scene, `${key}/size-text`)).toBe(fixed(length(row(write, t))));
      expect(markText(scene, `${key}/adds/text`)).toBe(signed(target.parts[k + 1]!));
    });
    expect(markText(scene, "logit/sum")).toMatch(new RegExp(`^sum [=≈] ${fixed(target.logit)}$`));
    const printed = [...target.parts, target.rest].reduce((sum, part) => sum + Number(part.toFixed(2)), 0);
    const adds = Math.abs(printed - Number(target.logit.toFixed(2))) < 1e-9;
    expect(markText(scene, "logit/sum")!.startsWith(adds ? "sum =" : "sum ≈")).toBe(true);
    const percents = model.next[t]!.map(({ id }) => markText(scene, `next:${id}/number`)!);
    percents.forEach((percent, i) => {
      const now = 100 * model.next[t]![i]!.now;
      const number = percent.split(" → ").at(-1)!;
      if (number === "<0.1%") expect(now).toBeLessThan(0.1);
      else expect(Math.abs(Number(number.replace("%", "")) - now)).toBeLessThan(0.51);
    });
  });

  test("an expanded block has its residual stream, outputs, weights of each head, and units of the MLP", () => {
    const model = models[name]!;
    const [layer, t] = [1, model.tokens.length - 1];
    const choices = { ...initial, layer, head: 1 };
    const block = stepScene(model, "block", 1280, choices);
    for (const k of [2, 3, 4])
      expect(markText(block, `stream:${k}/size-text`)).toBe(fixed(length(row(model.stream[k]!, t))));
    const heads = stepScene(model, "heads", 1280, choices);
    const { weights, scores, hidden, headWrites } = model.blocks[layer]!;
    const T = model.tokens.length;
    for (let h = 0; h < model.numHeads; h++) {
      const own = row(weights, h * T + t);
      for (let j = 0; j < T; j++)
        expect(heads.marks.find(({ key }) => key === `head:${h}:${j}`)!.ariaLabel).toMatch(
          new RegExp(`: ${fixed(own[j]!, 3)}$`),
        );
      expect(markText(heads, `head:${h}/size-text`)).toBe(fixed(length(row(headWrites, h * T + t))));
      expect(markText(heads, `head:${h}/adds/text`)).toBe(signed(model.next[t]![0]!.heads[layer]![h]!));
    }
    const head = stepScene(model, "head", 1280, choices);
    for (let j = 0; j < T; j++) {
      expect(markText(head, `call/score:${j}`)).toBe(fixed(row(scores, T + t)[j]!));
      expect(markText(head, `head:1:${j}`)).toBe(fixed(row(weights, T + t)[j]!));
    }
    const mlp = stepScene(model, "mlp", 1280, choices);
    row(hidden, t).forEach((value, i) =>
      expect(mlp.marks.find(({ key }) => key === `unit:hidden:${i}`)!.ariaLabel).toBe(
        `hidden of unit ${i}: ${fixed(value, 3)}`,
      ),
    );
    const norm = stepScene(model, "norm-1", 1280, choices);
    const rms = (x: readonly number[]) => length(x) / Math.sqrt(x.length);
    expect(markText(norm, "norm/before/rms")).toBe(`rms ${fixed(rms(row(model.stream[2]!, t)))}`);
    expect(markText(norm, "norm/after/rms")).toBe(`rms ${fixed(rms(row(model.normed[2]!, t)))}`);
  });

  test("the text of each step names numbers of the model, and the table has them all", () => {
    const model = models[name]!;
    const t = model.tokens.length - 1;
    const steps = transformerBlock.steps(model, initial);
    expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
    const said = (id: string) => steps.find((step) => step.id === id)!.text;
    expect(said("tokens")).toContain(`id ${model.tokens[t]!.id}`);
    expect(said("logits")).toContain(fixed(model.next[t]![0]!.logit));
    expect(said("attention")).toContain(fixed(length(row(model.writes[0]!, t))));
    const { rows } = transformerBlock.table(model, initial, 0);
    model.writes.forEach((write, k) => {
      expect(rows[k + 1]![1]).toBeCloseTo(length(row(write, t)), 3);
      expect(rows[k + 1]![3]).toBeCloseTo(model.next[t]![0]!.parts[k + 1]!, 3);
    });
  });
});

test("the focused number is printed in every row, and the stream is their sum as printed, or has ≈", () => {
  const model = models["our small model"]!;
  const t = model.tokens.length - 1;
  const scene = stepScene(model, "block", 1280, { ...initial, layer: 1 }, "attention:2:40");
  const at = (frame: { data: ArrayLike<number>; shape: readonly number[] }) => row(frame, t)[40]!;
  expect(markText(scene, "stream:2/number")).toBe(fixed(at(model.stream[2]!), 3));
  expect(markText(scene, "attention:2/number")).toBe(fixed(at(model.writes[2]!), 3));
  const printed = Number(at(model.stream[2]!).toFixed(3)) + Number(at(model.writes[2]!).toFixed(3));
  const sign = Math.abs(printed - Number(at(model.stream[3]!).toFixed(3))) < 1e-9 ? "=" : "≈";
  expect(markText(scene, "stream:3/number")).toBe(`${sign} ${fixed(at(model.stream[3]!), 3)}`);
});

test("presses expand a block, a part and a head, and go back", () => {
  const model = models["our small model"]!;
  const press = (cell: string) => transformerBlock.press!(model, initial, cell);
  expect(press("block:2")).toEqual({ choices: { layer: 2 }, step: "block" });
  expect(press("open:mlp:3")).toEqual({ choices: { layer: 3 }, step: "mlp" });
  expect(press("head:2")).toEqual({ choices: { head: 2 }, step: "head" });
  expect(press("zoom:model")).toEqual({ step: "whole" });
  expect(press("token:1")).toEqual({ choices: { token: 1, target: 0 } });
  expect(press("token:4")).toEqual({ choices: { token: -1, target: 0 } });
  expect(press("remove:mlp-0")).toEqual({ choices: { removed: "mlp-0" } });
  expect(transformerBlock.press!(models["without an MLP"]!, initial, "remove:mlp-0")).toEqual({
    choices: { removed: "none" },
  });
  expect(press("stream:2:7")).toBeUndefined();
  const ids = transformerBlock.steps(model, initial).map(({ id }) => id);
  for (const cell of stepScene(model, "block").marks.flatMap(({ cell }) => cell ?? [])) {
    const step = press(cell)?.step;
    if (step !== undefined) expect(ids).toContain(step);
  }
});

test("every press sets choices that controls offer, so that permalinks contain them", () => {
  const model = models["our small model"]!;
  const controls = transformerBlock.controls(model, initial);
  for (const id of ["whole", "block", "heads"]) {
    for (const cell of stepScene(model, id).marks.flatMap(({ cell }) => cell ?? [])) {
      for (const [key, value] of Object.entries(
        transformerBlock.press!(model, initial, cell)?.choices ?? {},
      )) {
        const control = controls.find((each) => each.key === key)!;
        expect("options" in control && control.options.some((option) => option.value === value), cell).toBe(
          true,
        );
      }
    }
  }
});

test("plays from the text to the whole model, and steps back; the initial step is the whole model", () => {
  const model = models["our small model"]!;
  const { start, reduce } = player(transformerBlock);
  const steps = transformerBlock.steps(model, initial);
  let state = start(model);
  expect(steps[state.step]!.id).toBe("whole");
  state = reduce(state, { type: "play" });
  const seen = new Set<string>();
  for (let n = 0; n < 2000 && state.playing !== "no"; n++) {
    seen.add(steps[state.step]!.id);
    state = reduce(state, { type: "tick", milliseconds: 50 });
  }
  expect([...seen]).toEqual(steps.map(({ id }) => id));
  state = reduce(state, { type: "back" });
  expect(steps[state.step]!.id).toBe("contributions");
});

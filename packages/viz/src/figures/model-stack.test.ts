import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { bytesText } from "./bytes-text.js";
import type { Scene } from "./mark.js";
import { modelStack } from "./model-stack.js";
import type { ModelStackModel, StackedModel, StackKind } from "./model-stack/model.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";

const lengths = [1024, 2048, 4096, 8192, 16384, 32768];
const mask = (window: number) =>
  Array.from({ length: 12 }, (_, i) => Array.from({ length: 12 }, (_, j) => j <= i && i - j < window));
const heads = { kind: "GQA", numHeads: 8, numKvHeads: 2, keyDim: 16, valueDim: 16 } as const;
const sliding: StackKind = {
  id: "window-0",
  name: "Sliding window of 2,048 tokens",
  short: "sliding",
  layers: 5,
  limit: 2048,
  cross: false,
  heads,
  bytesPerToken: 128,
  stateBytes: 0,
  mask: mask(4),
  maps: [mask(4).map((row) => row.map((sees) => (sees ? 0.25 : null)))],
};
const full: StackKind = {
  ...sliding,
  id: "causal-1",
  name: "Full attention",
  short: "full",
  layers: 1,
  limit: null,
  mask: mask(12),
};
const cacheBytes = lengths.map((length) => 128 * (5 * Math.min(length, 2048) + length));
const one: StackedModel = {
  id: "one",
  name: "Model One",
  year: 2025,
  architecture: "one",
  kinds: [sliding, full],
  sides: [{ name: "", layers: [0, 0, 0, 0, 0, 1], runs: [{ pattern: [0, 0, 0, 0, 0, 1], times: 1 }] }],
  parameters: 1e9,
  activeParameters: 1e9,
  embedDim: 128,
  experts: null,
  contextLength: 16384,
  bytesPerToken: 768,
  fullBytesPerToken: 768,
  unsharedBytesPerToken: 3072,
  cacheBytes,
  flops: lengths.map((length) => 2e9 + length * 1000),
  tiny: "No tiny model.",
};
const recurrent: StackedModel = {
  ...one,
  name: "Model Two",
  kinds: [
    {
      ...full,
      id: "state-0",
      name: "Linear attention",
      short: "linear",
      layers: 6,
      limit: 0,
      heads: { ...heads, kind: "state", numKvHeads: 16 },
      bytesPerToken: 0,
      stateBytes: 4096,
      mask: null,
      maps: [],
    },
  ],
  sides: [{ name: "", layers: [0, 0, 0, 0, 0, 0], runs: [{ pattern: [0], times: 6 }] }],
};
const offers = [{ value: "gemma-3-27b", label: "Gemma 3 27B", title: "2025" }];
const model: ModelStackModel = { lengths, drawnWindow: 4, models: [one], offers };
const both: ModelStackModel = { ...model, models: [one, recurrent] };
const at = (given: ModelStackModel, step: number, progress = 1, width = 1120, focus?: string): Scene =>
  modelStack.scene(given, modelStack.initial, { step, progress, focus }, width);
const marks = ({ marks: all }: Scene, start: string) => all.filter(({ key }) => key.startsWith(start));
const text = (scene: Scene, key: string) => scene.marks.find((mark) => mark.key === key)?.text;

test("a step for each length, whose text names the cached tokens", () => {
  const steps = modelStack.steps(model, modelStack.initial);
  expect(steps.map(({ id }) => id)).toEqual(lengths.map((length) => `tokens-${length}`));
  expect(steps[0]!.text).toContain(
    "5 sliding layers keep every token so far, 1 full layer keeps every token.",
  );
  expect(steps[5]!.text).toContain("5 sliding layers keep 2,048 tokens each");
  expect(steps[5]!.text).toContain("It was made for 16,384 tokens at most.");
  const opened = player(modelStack).start(model);
  expect(steps[opened.step]!.id).toBe("tokens-32768");
});

test("a layer is as long as the part of the context that its newest token sees", () => {
  for (const step of [0, 3, 5]) {
    const layers = marks(at(model, step), "side:0:").filter(({ cell }) => cell !== undefined);
    expect(layers).toHaveLength(6);
    const whole = layers[5]!.width!;
    const part = Math.min(1, 2048 / lengths[step]!);
    for (const layer of layers.slice(0, 5)) expect(layer.width! / whole).toBeCloseTo(part, 5);
  }
  expect(text(at(model, 5), "side:0:run:0:0")).toBe("×1");
  expect(text(at(model, 5), "side:0:run:0:1")).toBe("5 sliding, 1 full");
});

test("the cache is that of the model at each length, and grows between lengths", () => {
  for (const [step, bytes] of cacheBytes.entries()) {
    expect(text(at(model, step), "facts:cache:value")).toBe(bytesText(bytes));
    expect(modelStack.table(model, modelStack.initial, step).rows.at(-1)!.at(-1)).toBe(bytes);
  }
  const widths = [0, 0.5, 1].map(
    (progress) => at(model, 5, progress).marks.find(({ key }) => key === "side:0:0")!.width!,
  );
  expect(widths[0]).toBeGreaterThan(widths[1]!);
  expect(widths[1]).toBeGreaterThan(widths[2]!);
});

test("each query head has a line, masks show visible keys, and a layer with a state has no mask", () => {
  const scene = at(both, 5);
  expect(marks(scene, "window-0:query:")).toHaveLength(8);
  expect(marks(scene, "window-0:key:")).toHaveLength(2);
  expect(scene.marks.find(({ key }) => key === "kind:window-0:mask")!.ariaLabel).toBe(
    "Sliding window of 2,048 tokens: of 12 tokens, a query sees 1 to 4",
  );
  expect(marks(scene, "other:kind:state-0:mask")).toEqual(marks(scene, "other:kind:state-0:mask-text"));
  expect(marks(scene, "other:kind:state-0:state")).toHaveLength(1);
  expect(marks(scene, "other:state-0:kv:")).toHaveLength(16);
  // A cell of a map reads its weight.
  expect(scene.marks.find(({ key }) => key === "kind:window-0:map:0:3:2")!.ariaLabel).toMatch(/: 0\.25$/);
});

test("the number of drawn heads is limited", () => {
  const many = { ...heads, numHeads: 1_000_000, numKvHeads: 250_000 };
  const scene = at({ ...model, models: [{ ...one, kinds: [{ ...sliding, heads: many }, full] }] }, 5);
  expect(marks(scene, "window-0:query:")).toHaveLength(256);
  expect(marks(scene, "window-0:key:")).toHaveLength(64);
  expect(text(scene, "kind:window-0:heads-text:0")).toContain("1000000 query heads share 250000 KV heads");
});

test("a focused layer highlights its kind", () => {
  const scene = at(model, 5, 1, 1120, "side:0:5:causal-1");
  const dimmed = (key: string) => (scene.marks.find((mark) => mark.key === key)!.opacity ?? 1) < 1;
  expect([dimmed("kind:window-0:name"), dimmed("kind:causal-1:name")]).toEqual([true, false]);
});

test.each([360, 560, 800, 1120, 1280])(
  "at %i pixels everything is inside, and letters are 11 or more",
  (width) => {
    for (const given of [model, both]) {
      for (const step of [0, 5]) {
        const scene = at(given, step, 1, width);
        expect(new Set(scene.marks.map(({ key }) => key)).size).toBe(scene.marks.length);
        for (const mark of scene.marks) {
          if (mark.text) expect(mark.size ?? 12).toBeGreaterThanOrEqual(11);
          const start =
            mark.kind === "text" && mark.anchor === "end" ? mark.x - labelWidth([mark.text!]) : mark.x;
          expect(start, mark.key).toBeGreaterThanOrEqual(0);
          expect(mark.x + (mark.width ?? 0), mark.key).toBeLessThanOrEqual(width + 0.5);
          expect(mark.y + (mark.height ?? 0), mark.key).toBeLessThanOrEqual(scene.height + 0.5);
        }
      }
    }
  },
);

test("the SVG of a moment needs no JavaScript", () => {
  const still = figureSvg(modelStack, model, { width: 360 });
  expect(still).toContain("How a model attends");
  expect(still).toContain("Model One");
});

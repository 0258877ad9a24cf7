import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { cachesAtWork, type CacheKind, type CacheMoment, type CachesAtWorkModel } from "./caches-at-work.js";
import { bytesText } from "./bytes-text.js";
import type { Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";

const texts = [["The", " cat", " sat", " on", " it"], ["The", " cat", " sat", " on", " them"], []];
const float = (count: number) => new Array<"float32">(count).fill("float32");
const sequence = (count: number, blocks: number[] = []) => ({ stored: float(count), reused: 0, blocks });
const page = (block: number, holders: number[], tokens: [number, number, string?][]) => ({
  id: `0:${block}`,
  form: "block" as const,
  block,
  stored: "float32" as const,
  holders,
  bytes: 2048,
  slots: [0, 1, 2, 3].map((slot) => {
    const [s, position, from] = tokens[slot] ?? [];
    return s === undefined ? undefined : { sequence: s, position: position!, ...(from && { from }) };
  }),
});
const next = { text: " mat", exact: 0.31, probability: 0.31, difference: 0 };
const moment = (more: Partial<CacheMoment>): CacheMoment => ({
  sequences: [],
  regions: [],
  bytes: 8192,
  usedBytes: 2048,
  computed: 0,
  copied: 0,
  copiedBytes: 0,
  rounded: 0,
  ...more,
});
const first = page(0, [0, 1], [[0, 0], [0, 1], [0, 2], [0, 3]]); // prettier-ignore
const paged: CacheKind = {
  id: "paged",
  name: "Paged",
  description: "A pool of pages.",
  names: { buffer: "buffer", block: "page" },
  budget: {
    label: "Page",
    options: [
      { value: "small", tokens: 2 },
      { value: "medium", tokens: 4 },
    ],
  },
  moments: [
    moment({
      sequences: [sequence(5, [0, 1])],
      regions: [{ ...first, holders: [0] }, page(1, [0], [[0, 4]]), page(2, [], [])],
      computed: 5,
      next,
    }),
    moment({
      sequences: [sequence(5, [0, 1]), sequence(5, [0, 1])],
      regions: [first, page(1, [0, 1], [[0, 4]]), page(2, [], [])],
    }),
    moment({
      sequences: [sequence(5, [0, 1]), sequence(6, [0, 2])],
      regions: [first, page(1, [0], [[0, 4]]), page(2, [1], [[0, 4, "0:1:0"], [1, 5]])], // prettier-ignore
      computed: 1,
      copied: 1,
      copiedBytes: 512,
      next,
    }),
  ],
  rounded: {},
  largestError: 0,
};
const ring = (holders: number[], from: number) => ({
  id: "0:0",
  form: "buffer" as const,
  block: 0,
  stored: "float32" as const,
  holders,
  bytes: 1024,
  slots: [from, from + 1].map((position) => ({ sequence: 0, position })),
});
const evicted = (count: number) => ({
  stored: Array.from({ length: count }, (_, i) =>
    i < count - 2 ? ("evicted" as const) : ("float32" as const),
  ),
  reused: 0,
  blocks: [],
});
const rolling: CacheKind = {
  id: "rolling",
  name: "Rolling",
  description: "A ring.",
  names: { buffer: "ring buffer", block: "block" },
  moments: [
    moment({ sequences: [evicted(5)], regions: [ring([0], 3)], computed: 5, next }),
    moment({ sequences: [evicted(5), evicted(5)], regions: [ring([0, 1], 3)] }),
    moment({
      sequences: [evicted(5), evicted(6)],
      regions: [ring([0], 3)],
      computed: 1,
      next: { ...next, probability: 0.4, difference: 0.2 },
    }),
  ],
  rounded: {},
  largestError: 0,
};
const model: CachesAtWorkModel = {
  operations: [
    { kind: "prompt", sequence: 0, lengths: [5, 0, 0] },
    { kind: "fork", sequence: 1, lengths: [5, 5, 0] },
    { kind: "append", sequence: 1, lengths: [5, 6, 0] },
  ],
  texts: [texts[0]!, [...texts[0]!, " slept"], []],
  attention: [[0.2, 0.2, 0.2, 0.2, 0.2], [], [0.1, 0.2, 0.3, 0.1, 0.1, 0.2]],
  numLayers: 2,
  numKvHeads: 1,
  headDim: 32,
  bytesPerToken: 512,
  kinds: [paged, rolling],
};
const choices = { kind: "paged", budget: "medium", operations: "fb" } as const;
const at = (step: number, progress = 1, width = 1120, focus?: string, kind = "paged"): Scene =>
  cachesAtWork.scene(model, { ...choices, kind }, { step, progress, focus }, width);
const keys = ({ marks }: Scene, start: string) =>
  marks.filter(({ key }) => key.startsWith(start)).map(({ key }) => key);
const text = ({ marks }: Scene, key: string) => marks.find((mark) => mark.key === key)?.text;
const allText = (scene: Scene) => scene.marks.map((mark) => mark.text ?? "").join(" ");

test("a step for each operation, with the reason of the cache", () => {
  const steps = cachesAtWork.steps(model, choices);
  expect(steps.map(({ id }) => id)).toEqual(["0-prompt", "1-fork", "2-append-b"]);
  expect(steps[2]).toMatchObject({ title: "Append “slept” to B", chapter: "Append to B" });
  expect(steps[2]!.text).toContain("It first copies the half-full page, 1 token, and writes to its copy.");
  const refused = {
    ...paged,
    moments: [...paged.moments.slice(0, 2), moment({ refusal: "update: no pages." })],
  };
  expect(cachesAtWork.steps({ ...model, kinds: [refused] }, choices)[2]!.text).toBe(
    "The cache refuses the tokens. update: no pages.",
  );
});

test("a fork shares pages by a thick edge; a copy has an arrow, and its tokens come from the page that they were in", () => {
  const edge = (scene: Scene, page: number) =>
    scene.marks.find(({ key }) => key === `region:0:${page}`)!.strokeWidth;
  expect([0, 1, 2].map((page) => edge(at(1), page))).toEqual([2, 2, 1]);
  expect([0, 1, 2].map((page) => edge(at(2), page))).toEqual([2, 1, 1]);
  expect(keys(at(1), "copy:")).toEqual([]);
  expect(keys(at(2), "copy:")).toEqual(["copy:0:1:0:2"]);
  const copied = at(2).marks.find(({ key }) => key === "slot:0.2:0:0:4")!;
  expect(copied.home).toBe("slot:0.1:0:0:4");
  expect(at(2).marks.find(({ key }) => key === "slot:0.2:1:1:5")!.home).toBe("text:1:5");
});

test("bytes under every kind are those of the model, and a press on one chooses it", () => {
  for (const [i, { id, moments }] of model.kinds.entries()) {
    expect(text(at(2), `kinds:${id}:bytes`)).toBe(bytesText(moments[2]!.bytes));
    expect(cachesAtWork.press!(model, choices, `kinds:${i}:0`)).toEqual({ choices: { kind: id } });
  }
  expect(allText(at(2))).toContain("1 token, 512 B");
});

test("evicted tokens are hatched and have the attention that they would get; the change of the prediction is given", () => {
  const scene = at(2, 1, 1120, undefined, "rolling");
  const hatched = scene.marks.filter(({ key, hatch = 0 }) => key.startsWith("text:") && hatch > 0);
  expect(hatched).toHaveLength(3 + 4);
  expect(allText(scene)).toContain("Forgotten of B: 4 of 6 tokens");
  expect(allText(scene).replaceAll(/\s+/g, " ")).toContain("70% of the attention of “slept” goes to them");
  expect(allText(scene)).toMatch(/“mat” 40%, instead of\s+31% with all tokens in float32/);
});

test("the focused token is highlighted in memory and in the text of all sequences that read it", () => {
  const lit = (focus: string, step = 2) =>
    at(step, 1, 1120, focus)
      .marks.filter(
        ({ key, strokeWidth: line, stroke }) =>
          !key.startsWith("region") &&
          !key.startsWith("legend") &&
          !key.startsWith("table") &&
          line === 2 &&
          stroke === "text",
      ) // prettier-ignore
      .map(({ cell }) => cell);
  expect(lit("text:0:1")).toEqual(["text:0:1", "text:1:1", "slot:0.0:1"]);
  expect(lit("text:1:4")).toEqual(["text:1:4", "slot:0.2:0"]);
  expect(lit("slot:0.2:0")).toEqual(["text:1:4", "slot:0.2:0"]);
});

test("buttons append, fork and undo: each changes the conversation and plays its step", () => {
  const controls = cachesAtWork.controls(model, choices);
  const buttons = controls.flatMap((control) => (control.kind === "press" ? (control.buttons ?? []) : []));
  expect(buttons.map(({ label }) => label)).toEqual([
    "Append to A",
    "Append to B",
    "New request",
    "Undo",
    "Clear",
  ]);
  const press = (label: string) =>
    cachesAtWork.press!(model, choices, buttons.find((button) => button.label === label)!.cell);
  expect(press("Append to A")).toEqual({ choices: { operations: "fba" }, step: "3-append-a", plays: true });
  expect(press("New request")).toEqual({ choices: { operations: "fbn" }, step: "3-request", plays: true });
  expect(press("Undo")).toEqual({ choices: { operations: "f" }, step: "1-fork" });
  expect(press("Clear")).toEqual({ choices: { operations: "" }, step: "0-prompt" });
  expect(controls.map(({ label }) => label)).toEqual(["Cache", "Page", "Do next"]);
  expect(cachesAtWork.controls(model, { ...choices, kind: "rolling" }).map(({ label }) => label)).toEqual([
    "Cache",
    "Do next",
  ]);
});

test("the text comes first, then its key and value go to a slot", () => {
  const early = at(2, 0.3);
  expect(keys(early, "text:1:5").length).toBeGreaterThan(0);
  const opacity = (progress: number) =>
    at(2, progress).marks.find(({ key }) => key === "slot:0.2:1:1:5")?.opacity ?? 1;
  expect(opacity(0.4)).toBeLessThan(0.3);
  expect(opacity(1)).toBe(1);
});

test.each([320, 358, 700, 1120])("at %i pixels every letter is in the picture and has 11 px", (width) => {
  for (const kind of ["paged", "rolling"])
    for (const step of [0, 1, 2]) {
      const { marks, height } = at(step, 1, width, undefined, kind);
      expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
      for (const { x, y, text = "", size = 12, anchor, font } of marks.filter(
        ({ kind }) => kind === "text",
      )) {
        expect(size, text).toBeGreaterThanOrEqual(11);
        const wide = font === "mono" ? 7.25 * text.length : (labelWidth([text]) * size) / 12;
        expect(x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1)), text).toBeLessThanOrEqual(
          width,
        );
        expect(y, text).toBeLessThanOrEqual(height);
      }
    }
});

test("it opens on the last operation; its table has the numbers of every kind", () => {
  expect(player(cachesAtWork).start(model, choices).step).toBe(2);
  expect(figureSvg(cachesAtWork, model, { choices, width: 358 })).toContain("Page table");
  const { columns, rows } = cachesAtWork.table(model, choices, 2);
  expect(columns[1]).toBe("bytes allocated");
  expect(rows).toEqual([
    ["Paged", 8192, 2048, 1, 1, 0],
    ["Rolling", 8192, 2048, 1, 0, 7],
  ]);
});

test("tokens in latents and states are labeled; the width of a state is in proportion to its bytes", () => {
  const region = (stored: "latent" | "state", more: object = {}) => ({ ...ring([0], 3), stored, ...more });
  const own = (form: "latent" | "state") => [
    { stored: new Array<typeof form>(5).fill(form), reused: 0, blocks: [] },
  ];
  const of = (form: "latent" | "state", more: object = {}): CachesAtWorkModel => ({
    ...model,
    operations: model.operations.slice(0, 1),
    kinds: [
      {
        ...rolling,
        id: form,
        names: { buffer: form, block: "block" },
        weights: "random",
        moments: [moment({ sequences: own(form), regions: [region(form, more)], computed: 5 })],
      },
    ],
  });
  const scene = (drawn: CachesAtWorkModel, width = 1120) =>
    cachesAtWork.scene(drawn, { ...choices, kind: drawn.kinds[0]!.id }, { step: 0, progress: 1 }, width);
  const latents = scene(of("latent"));
  expect(allText(latents)).toContain("latent: keys and values in one");
  expect(allText(latents)).toContain("random weights");
  expect(latents.marks.find(({ key }) => key === "text:0:1")!.ariaLabel).toBe(
    "“cat” of A: cached as a latent",
  );
  const slots = [{ sequence: 0, position: 4 }];
  for (const width of [358, 1120]) {
    const { marks } = scene(of("state", { slots, span: 8 }), width);
    const wide = (key: string) => marks.find((mark) => mark.key === key)!.width!;
    const slot = wide("region:0:0");
    expect(slot).toBeGreaterThan(5 * 28);
    expect(slot).toBeLessThanOrEqual(width);
    expect(marks.some(({ text }) => text === "Memory: 1 state in each layer")).toBe(true);
    expect(marks.find(({ text }) => text === "S")).toBeDefined();
  }
});

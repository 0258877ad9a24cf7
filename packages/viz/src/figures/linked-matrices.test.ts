import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { linkedMatrices } from "./linked-matrices.js";
import type { LinkedMatricesModel } from "./linked-matrices/model.js";
import type { TracedHead } from "./traced-head.js";
import type { Mark, Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";

// Three tokens of two numbers: all that follows is computed from queries, keys and values, causal or not.
const tokens = ["the", "cat", "sat"];
const frame = (rows: readonly (readonly number[])[]) => ({
  data: rows.flat(),
  shape: [rows.length, rows[0]!.length],
});
function randomHead(query: number[][], key: number[][], value: number[][], causal: boolean): TracedHead {
  const scale = 1 / Math.sqrt(2);
  const dots = query.map((q) => key.map((k) => q.reduce((sum, x, d) => sum + x * k[d]!, 0)));
  const seen = dots.map((row, t) => row.map((_, s) => Number(!causal || s <= t)));
  const weights = dots.map((row, t) => {
    const exps = row.map((dot, s) => (seen[t]![s] ? Math.exp(dot * scale) : 0));
    const total = exps.reduce((sum, each) => sum + each, 0);
    return exps.map((each) => each / total);
  });
  const output = weights.map((row) =>
    [0, 1].map((d) => row.reduce((sum, w, s) => sum + w * value[s]![d]!, 0)),
  );
  return {
    query: frame(query),
    key: frame(key),
    value: frame(value),
    dots: frame(dots),
    scale,
    scores: frame(dots.map((row) => row.map((dot) => dot * scale))),
    seen: frame(seen),
    weights: frame(weights),
    output: frame(output),
  };
}
const query = [
  [1, 0],
  [0.5, 2],
  [-1, 1],
];
const key = [
  [1, 1],
  [2, 0],
  [0, -1],
];
const value = [
  [3, 0],
  [0, 3],
  [1, -1],
];
const head = randomHead(query, key, value, false);
const masked = randomHead(query, value, key, true);
const model: LinkedMatricesModel = {
  tokens,
  row: 1,
  models: [
    { id: "bert", name: "BERT", note: "sees all", batchSize: 1, numKvHeads: 2, layers: [[masked, head]] },
    {
      id: "gpt",
      name: "GPT",
      batchSize: 1,
      numKvHeads: 1,
      layers: [
        [head, masked],
        [masked, head],
      ],
    },
  ],
  texts: ["the cat sat", "a dog ran"],
  source: "Made for a test.",
};
const choices = linkedMatrices.initial;
const ids = ["inputs", "dots", "scaled", "masked", "weights", "output"];
const at = (
  id: string,
  change: Partial<typeof choices> = {},
  focus?: string,
  progress = 1,
  width = 1120,
): Scene =>
  linkedMatrices.scene(model, { ...choices, ...change }, { step: ids.indexOf(id), progress, focus }, width);
const mark = ({ marks }: Scene, key: string): Mark | undefined => marks.find((each) => each.key === key);
const lit = ({ marks }: Scene) => marks.filter(({ key }) => key.startsWith("ring:")).map(({ key }) => key);
const bench = ({ marks }: Scene) =>
  marks.filter(({ key }) => key.startsWith("bench:") && !/:(head|name):/.test(key)).map(({ text }) => text);

test("a step for each part of the formula; initially all matrices up to the output are drawn", () => {
  expect(linkedMatrices.steps(model, choices).map(({ id }) => id)).toEqual(ids);
  expect(player(linkedMatrices).start(model, choices).step).toBe(5);
  for (const cell of ["q:0:1", "k:2:0", "v:1:1", "s:2:1", "a:1:2", "o:2:1"])
    expect(mark(at("output"), cell)?.cell).toBe(cell);
});

test("a matrix is a dashed outline until its step", () => {
  const there = (id: string) => ["s", "a", "o"].map((name) => mark(at(id), `${name}:0:0`) !== undefined);
  expect(there("inputs")).toEqual([false, false, false]);
  expect(there("dots")).toEqual([true, false, false]);
  expect(there("weights")).toEqual([true, true, false]);
  expect(there("output")).toEqual([true, true, true]);
  expect(mark(at("dots"), "coming:a")?.dash).toBe(true);
});

test("keys are drawn transposed: a score is where the row of its query and the column of its key cross", () => {
  const scene = at("dots");
  const score = mark(scene, "s:2:1")!;
  for (const d of [0, 1]) {
    expect(mark(scene, `q:2:${d}`)!.y).toBe(score.y);
    expect(mark(scene, `k:1:${d}`)!.x).toBe(score.x);
  }
  const output = mark(at("output"), "o:2:1")!;
  expect(mark(at("output"), "a:2:0")!.y).toBe(output.y);
  expect(mark(at("output"), "v:0:1")!.x).toBe(output.x);
});

test.each([
  ["q:1:0", ["ring:0:q", "ring:1:q", "ring:2:s"]],
  ["k:2:1", ["ring:0:k", "ring:1:k", "ring:2:s"]],
  ["v:0:1", ["ring:2:a", "ring:0:v", "ring:1:v"]],
  ["s:1:2", ["ring:1:q", "ring:2:k", "ring:0:s", "ring:3:a"]],
  ["a:1:2", ["ring:1:s", "ring:0:a", "ring:2:v", "ring:3:o"]],
  ["o:1:1", ["ring:1:a", "ring:2:v", "ring:0:o"]],
])("%s highlights its operands and the results that depend on it", (cell, rings) => {
  const scene = at("output", {}, cell);
  expect(lit(scene).sort()).toEqual([...rings].sort());
  const [name, row, column] = cell.split(":");
  const ring = mark(scene, `ring:0:${name}`)!;
  const box = mark(scene, `${name}:${row}:${column}`)!;
  expect([ring.x < box.x, ring.y < box.y]).toEqual([true, true]);
});

test("a score: its products, term by term, then scaled, then masked", () => {
  // Query of “cat” (0.5, 2), key of “the” (1, 1).
  expect(bench(at("dots", {}, "s:1:0"))).toEqual([
    "Score of key “the” for query “cat”",
    "q · k",
    ...["0.50", "2.00", "1.00", "1.00", "0.50", "2.00"],
    "Sum of the 2 products = 2.50.",
  ]);
  expect(bench(at("scaled", {}, "s:1:0")).at(-1)).toBe("Sum of the 2 products = 2.50; 2.50 / 1.41 ≈ 1.77.");
  expect(bench(at("masked", {}, "s:1:0")).at(-1)).toContain("“cat” sees “the”: unchanged.");
  expect(bench(at("masked", { head: 0 }, "s:0:2")).join(" ")).toContain("“the” must not see “sat”: −∞.");
});

test("a weight: the softmax of its row", () => {
  const scores = [2.5, 1, -2].map((dot) => dot / Math.SQRT2);
  const exps = scores.map((score) => Math.exp(score - scores[0]!));
  const total = exps.reduce((sum, each) => sum + each);
  const texts = bench(at("weights", {}, "a:1:1"));
  expect(texts.slice(0, 2)).toEqual(["Weight of key “cat” for query “cat”", "softmax of the row"]);
  expect(texts.slice(2, 11)).toEqual(
    [...scores, ...exps, ...exps.map((each) => each / total)].map((x) => x.toFixed(2).replace("-", "−")),
  );
  expect(texts.at(-1)).toBe(
    `${exps[1]!.toFixed(2)} / ${total.toFixed(2)} ≈ ${(exps[1]! / total).toFixed(2)}. The row sums to 1.`,
  );
  expect(bench(at("weights", { head: 0 }, "a:0:2")).at(-1)).toContain("must not see “sat”: weight 0");
});

test("an output: weights times values, added", () => {
  const texts = bench(at("output", {}, "o:1:1"));
  expect(texts[0]).toBe("Output of “cat”, number 2");
  const { weights, output } = head;
  expect(texts.slice(2, 5)).toEqual([3, 4, 5].map((i) => weights.data[i]!.toFixed(2)));
  expect(texts.slice(5, 8)).toEqual(["0.00", "3.00", "−1.00"]);
  expect(texts.join(" ")).toMatch(new RegExp(`Sum of the 3 products [=≈] ${output.data[3]!.toFixed(2)}`));
});

test("masked scores and weights are hatched, and read as masked", () => {
  const scene = at("output", { head: 0 });
  expect(mark(scene, "s:0:2")?.hatch).toBe(1);
  expect(mark(scene, "a:0:2")).toMatchObject({
    hatch: 1,
    ariaLabel: "weight of key “sat” for query “the”: masked",
  });
  expect(mark(at("scaled", { head: 0 }), "s:0:2")?.hatch).toBe(0);
  expect(linkedMatrices.table(model, { ...choices, head: 0 }, 4).rows[0]!.slice(2)).toEqual([
    "masked",
    "masked",
  ]);
});

test("weights grow out of their scores", () => {
  const [score, weight] = [mark(at("weights"), "s:1:0")!, mark(at("weights"), "a:1:0")!];
  const half = mark(at("weights", {}, undefined, 0.6), "a:1:0")!;
  expect(half.x).toBeGreaterThan(score.x);
  expect(half.x).toBeLessThan(weight.x);
});

test("a small map of each head of each model; a press chooses it", () => {
  const maps = at("output").marks.filter(({ cell, kind }) => kind === "rect" && cell?.startsWith("map:"));
  expect(maps.map(({ cell }) => cell)).toEqual([
    "map:0:0:0",
    "map:0:0:1",
    "map:1:0:0",
    "map:1:0:1",
    "map:1:1:0",
    "map:1:1:1",
  ]);
  expect(linkedMatrices.press?.(model, choices, "map:1:1:0")).toEqual({
    choices: { model: "gpt", layer: 1, head: 0 },
  });
  expect(linkedMatrices.press?.(model, choices, "s:1:0")).toBeUndefined();
  expect(mark(at("output"), "map:0:0:1")?.strokeWidth).toBe(2.5);
  // The ink of a map is pressed as its map is.
  const ink = at("output").marks.filter(({ key, kind }) => kind === "path" && key.startsWith("map:0:0:1/"));
  expect(ink.length).toBeGreaterThan(0);
  expect(new Set(ink.map(({ cell }) => cell))).toEqual(new Set(["map:0:0:1"]));
});

test("there are controls only for choices with several options", () => {
  const keys = (change: Partial<typeof choices>) =>
    linkedMatrices.controls(model, { ...choices, ...change }).map(({ key }) => key);
  expect(keys({})).toEqual(["model", "head", "text"]);
  expect(keys({ model: "gpt" })).toEqual(["model", "layer", "head", "text"]);
});

test("the shape inspector names each axis, and marks it in the picture", () => {
  const scene = at("dots");
  const axes = scene.marks.filter(({ key }) => /^shape:\d:\d$/.test(key)).map(({ text }) => text);
  expect(axes).toEqual(["B 1", "H 2", "T 3", "D 2", "B 1", "H 2", "D 2", "S 3", "B 1", "H 2", "T 3", "S 3"]);
  expect(mark(scene, "shape:0:2")?.ariaLabel).toBe("T, axis 3 of Q: 3 queries: one for each row");
  const names = (id: string) =>
    at(id, { model: "gpt" })
      .marks.filter(({ key }) => /^shape:1:1/.test(key))
      .map(({ text }) => text);
  expect(names("inputs")).toEqual(["H 1", "KV heads"]);
  const pointed = at("dots", {}, mark(scene, "shape:0:3")!.cell);
  expect(pointed.marks.filter(({ key }) => key.startsWith("axis:")).map(({ key }) => key)).toEqual([
    "axis:q:across",
    "axis:k:down",
    "axis:v:across",
  ]);
});

test.each([320, 358, 700, 900, 1120])(
  "at %i pixels every letter is in the picture and has 11 px",
  (width) => {
    for (const step of ids.keys()) {
      for (const focus of [undefined, "q:1:0", "s:0:2"]) {
        const { marks, height } = linkedMatrices.scene(model, choices, { step, progress: 0.8, focus }, width);
        expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
        for (const { x, y, text = "", size = 12, anchor, rotate } of marks.filter(
          ({ kind }) => kind === "text",
        )) {
          expect(size, text).toBeGreaterThanOrEqual(11);
          expect(y, text).toBeLessThanOrEqual(height);
          if (rotate) continue;
          const wide = (labelWidth([text]) * size) / 12;
          const right = x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1));
          expect(right, text).toBeLessThanOrEqual(width);
          expect(right - wide, text).toBeGreaterThanOrEqual(-4);
        }
      }
    }
  },
);

test("for a missing head the nearest one is drawn, and of many terms the largest", () => {
  expect(at("output", { model: "none", layer: 9, head: 9 }).description).toContain("BERT, layer 0");
  const wide = Array.from({ length: 40 }, (_, d) => (d === 7 ? 5 : 0.1));
  const many = randomHead([wide], [wide], [wide], false);
  const one = { ...model, tokens: ["a"], row: 0, models: [{ ...model.models[0]!, layers: [[many]] }] };
  const { marks } = linkedMatrices.scene(one, choices, { step: 1, progress: 1 }, 1120);
  const heads = marks.filter(({ key }) => /^bench:.*:head:/.test(key)).map(({ text }) => text);
  expect(heads).toContain("8");
  expect(heads).toHaveLength(9);
});

test("the SVG of a moment has every number", () => {
  const svg = figureSvg(linkedMatrices, model, { width: 358 });
  expect(svg).toContain("Matrices that answer");
  expect(svg).toContain("output of “cat”, number 1: ");
});

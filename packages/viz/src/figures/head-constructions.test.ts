import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { headConstructions } from "./head-constructions.js";
import type { HeadConstruction, HeadConstructionsModel } from "./head-constructions/model.js";
import { differenceText } from "./head-constructions/steps.js";
import type { Mark, Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";

// Width 4, two heads of 2, two tokens: distinct numbers, not those of a layer.
const frame = (rows: number, columns: number, value: (row: number, column: number) => number) => ({
  data: Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
  shape: [rows, columns],
});
const [C, H, T] = [4, 2, 2];
function construction(name: HeadConstruction["name"], outputs: number, more = 0): HeadConstruction {
  const inBlock = (a: number, b: number) => Math.floor(a / 2) === Math.floor(b / 2);
  const projection = frame(outputs, C, (o, i) =>
    name === "split-input" && !inBlock(o, i) ? 0 : (o + i + 1) / 10,
  );
  const projected = frame(T, outputs, (t, o) => {
    if (name === "summed") return o % C < 2 ? (t + Math.floor(o / C) * 2 + (o % C)) / 10 : 0;
    return (t + o) / 10 + more;
  });
  return {
    name,
    projections: { query: projection, key: projection, value: projection },
    projected: { query: projected, key: projected, value: projected },
    weights: frame(H * T, T, () => 0.5),
    heads: frame(T, outputs, (t, o) => (t + o) / 10),
    ...(name !== "summed" && { output: projection }),
    writes: frame(H * T, C, (row, c) => (row + c) / 10),
    result: frame(T, C, (t, c) => (t + c) / 10 + more),
    maxDifference: { query: more, key: more, value: more, result: name === "summed" ? 1e-8 : more },
    parameters: name === "summed" ? 3 * H * C ** 2 : 4 * C ** 2,
  };
}
const model: HeadConstructionsModel = {
  tokens: ["the", "cat"],
  embedDim: C,
  numHeads: H,
  headDim: 2,
  x: frame(T, C, (t, c) => (t + c) / 10),
  constructions: [
    construction("fused", C),
    construction("per-head", C),
    construction("split-input", C, 0.3),
    construction("summed", H * C),
  ],
  large: {
    embedDim: 512,
    numHeads: 8,
    parameters: { fused: 1_048_576, "per-head": 1_048_576, "split-input": 131_072, summed: 6_291_456 },
  },
};
const choices = { ...headConstructions.initial, token: 1 };
const at = (
  id: string,
  progress = 1,
  change: Partial<typeof choices> = {},
  width = 1120,
  focus?: string,
): Scene => {
  const all = { ...choices, ...change };
  const step = headConstructions.steps(model, all).findIndex((each) => each.id === id);
  return headConstructions.scene(model, all, { step, progress, focus }, width);
};
const mark = ({ marks }: Scene, key: string): Mark | undefined => marks.find((each) => each.key === key);
const keys = ({ marks }: Scene, pattern: RegExp) =>
  marks.filter(({ key }) => pattern.test(key)).map(({ key }) => key);

test("seven steps; the last is the initial one", () => {
  const ids = headConstructions.steps(model, choices).map(({ id }) => id);
  expect(ids).toEqual(["input", "project", "split", "attend", "write", "add", "compare"]);
  expect(player(headConstructions).start(model, choices).step).toBe(6);
});

test("a number is dashed until its stage", () => {
  expect(mark(at("input"), "fused:q:0:empty")?.dash).toBe(true);
  const half = at("project", 0.5);
  expect(mark(half, "fused:q:0")?.ariaLabel).toBe("query of head 1, number 1: 0.100");
  expect(mark(half, "fused:q:3")).toBeUndefined();
  expect(mark(at("split"), "fused:o:0")).toBeUndefined();
  expect(mark(at("attend"), "fused:o:0")?.ariaLabel).toBe("result of head 1, number 1: 0.100");
  expect(mark(at("write"), "fused:sum:0")).toBeUndefined();
  expect(mark(at("add"), "fused:sum:0")?.ariaLabel).toBe("output for “cat”, number 1: 0.100");
});

test("the fused matrix opens into those of the heads", () => {
  const gap = (scene: Scene, name: string) => mark(scene, `${name}:q:2`)!.x - mark(scene, `${name}:q:1`)!.x;
  const [before, after] = [at("project"), at("split")];
  expect(gap(before, "fused")).toBeLessThan(gap(after, "fused"));
  expect(gap(before, "per-head")).toBeCloseTo(gap(after, "fused"), 9);
});

test("only numbers that differ are outlined", () => {
  expect(keys(at("split"), /:q:\d:differs$/)).toEqual([0, 1, 2, 3].map((o) => `split-input:q:${o}:differs`));
  expect(keys(at("project"), /:differs$/)).toEqual([]);
  expect(keys(at("add"), /:sum:\d:differs$/)).toEqual(
    [0, 1, 2, 3].map((c) => `split-input:sum:${c}:differs`),
  );
});

test("weights outside of the blocks are hatched, and full-size heads have no output matrix", () => {
  const scene = at("compare");
  const hatched = scene.marks.filter(({ hatch }) => hatch).map(({ key }) => key);
  expect(hatched.filter((key) => key.startsWith("split-input:w:"))).toHaveLength(8);
  expect(hatched.every((key) => key.startsWith("split-input:"))).toBe(true);
  expect(keys(scene, /^summed:wo/)).toEqual([]);
  expect(mark(scene, "split-input:name:difference:result")?.text).toBe("output: difference 0.30");
  expect(mark(scene, "summed:name:difference:result")?.text).toBe("output: difference 0, up to rounding");
});

test("the contributions of heads move onto the sum", () => {
  const [early, late] = [at("add", 0.1), at("add", 0.9)];
  const distance = (scene: Scene) => mark(scene, "fused:sum:0:empty")!.x - mark(scene, "fused:moving:0:0")!.x;
  expect(distance(late)).toBeLessThan(distance(early));
  expect(keys(at("add"), /moving/)).toEqual([]);
});

test("a head that is pointed at keeps its color in every layer", () => {
  for (const focus of ["fused-q:0:2", "summed-q:0:5", "per-head-write:3:1"]) {
    const scene = at("compare", 1, {}, 1120, focus);
    const pale = (key: string) => (mark(scene, key)!.opacity ?? 1) < 1;
    expect(["fused:q:0", "summed:q:0", "split-input:wo:0:1"].map(pale), focus).toEqual([true, true, true]);
    expect(["fused:q:2", "summed:q:4", "fused:x:0", "fused:sum:0"].map(pale)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  }
});

test("a chosen construction is drawn beside the fused one", () => {
  const names = (scene: Scene) => keys(scene, /:name:title$/).map((key) => key.split(":")[0]);
  expect(names(at("compare"))).toEqual(["fused", "per-head", "split-input", "summed"]);
  expect(names(at("compare", 1, { construction: "summed" }))).toEqual(["fused", "summed"]);
});

test("if cells are too small for numbers, a hint tells how to read them", () => {
  const hint = (width: number) => mark(at("split", 1, {}, width), "hint")?.text;
  expect(hint(360)).toBe("Press a square to read its number.");
  expect(hint(1120)).toBeUndefined();
  const weights = at("split", 1, {}, 360).marks.filter(({ key }) => key.startsWith("fused:w:"));
  for (const { ariaLabel } of weights) expect(ariaLabel).toMatch(/: −?\d\.\d{3}$/);
});

test("areas are in proportion to parameters", () => {
  const area = (name: string) =>
    at("compare")
      .marks.filter(({ key, fill }) => key.startsWith(`areas:${name}:`) && fill !== undefined)
      .reduce((sum, { width = 0, height = 0 }) => sum + width * height, 0);
  expect(area("summed") / area("fused")).toBeCloseTo(6, 5);
  expect(area("split-input") / area("fused")).toBeCloseTo(1 / 8, 5);
  expect(mark(at("compare"), "areas:summed:count")?.text).toBe("6.29M, 6×");
});

test.each([320, 358, 700, 1120])("at %i pixels every letter is in the picture and has 11 px", (width) => {
  for (const [step] of headConstructions.steps(model, choices).entries()) {
    const { marks, height } = headConstructions.scene(model, choices, { step, progress: 0.7 }, width);
    expect(new Set(marks.map(({ key }) => key)).size).toBe(marks.length);
    for (const { x, y, text = "", size = 12, anchor } of marks.filter(({ kind }) => kind === "text")) {
      expect(size, text).toBeGreaterThanOrEqual(11);
      const wide = (labelWidth([text]) * size) / 12;
      const right = x + (anchor === "end" ? 0 : wide / (anchor === "middle" ? 2 : 1));
      expect(right, text).toBeLessThanOrEqual(width);
      expect(right - wide, text).toBeGreaterThanOrEqual(-4);
      expect(y, text).toBeLessThanOrEqual(height);
    }
  }
});

test("differences in words, and in the table", () => {
  expect([0, 3e-8, 0.963].map(differenceText)).toEqual(["0", "0, up to rounding", "0.96"]);
  expect(headConstructions.table(model, choices, 6).rows[2]).toEqual([
    "Split the input first",
    "0.300",
    64,
    131_072,
  ]);
  expect(headConstructions.table(model, choices, 1).rows[0]).toEqual([
    "One matrix, then split",
    "0.100 0.200 0.300 0.400",
  ]);
  expect(figureSvg(headConstructions, model, { choices, width: 358 })).toContain("What is a head?");
});

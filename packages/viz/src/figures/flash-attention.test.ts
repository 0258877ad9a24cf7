import { expect, test } from "vitest";
import { labelWidth } from "../picture.js";
import { flashAttention } from "./flash-attention.js";
import type { FlashAttentionModel, FlashTile, OnlineSoftmaxState } from "./flash-attention/model.js";
import type { Mark, Scene } from "./mark.js";
import { player } from "./player.js";
import { figureSvg } from "./scene-svg.js";

// Four tokens of two numbers in tiles of two, causal: distinct numbers, not those of a layer.
const [N, D] = [4, 2];
const frame = (columns: number, value: (row: number, column: number) => number) => ({
  data: Array.from({ length: N * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
  shape: [N, columns],
});
const state = (max: number, sum: number): OnlineSoftmaxState => ({
  max: [max, max],
  sum: [sum, sum],
  accumulator: [
    [sum, -sum],
    [sum, -sum],
  ],
});
const nothing = state(-Infinity, 0);
const tile = (
  row: number,
  column: number,
  kind: FlashTile["kind"],
  before: OnlineSoftmaxState,
  after: OnlineSoftmaxState,
  bytesMoved: number,
): FlashTile => ({ row, column, kind, before, after, bytesMoved });
const [first, second, third] = [state(0.1, 1.5), state(0.3, 1.25), state(0.5, 2.75)];
const model: FlashAttentionModel = {
  tileSize: 2,
  mask: "causal",
  query: frame(D, (t, d) => t + d),
  key: frame(D, (t, d) => t - d),
  value: frame(D, (t, d) => d - t),
  output: frame(D, (t, d) => (t + d) / 10),
  scores: frame(N, (t, s) => (s > t ? -Infinity : (t + s) / 10)),
  tiles: [
    tile(0, 0, "partial", nothing, first, 48),
    tile(0, 1, "empty", first, first, 64),
    tile(1, 0, "full", nothing, second, 112),
    tile(1, 1, "partial", second, third, 160),
  ],
  storedBytes: 384,
  long: {
    numHeads: 8,
    headDim: 64,
    sramBytes: 196_608,
    limitBytes: 2 ** 27,
    lengths: [1024, 16_384].map((length) => ({
      length,
      scoreBytes: length ** 2 * 32,
      storedBytes: length ** 2 * 128,
      tiledBytes: length ** 2 * 32,
    })),
  },
};
const choices = { ...flashAttention.initial, tileSize: 2 };
const at = (
  id: string,
  progress = 1,
  change: Partial<typeof choices> = {},
  width = 1120,
  focus?: string,
): Scene => {
  const all = { ...choices, ...change };
  const step = flashAttention.steps(model, all).findIndex((each) => each.id === id);
  return flashAttention.scene(model, all, { step, progress, focus }, width);
};
const mark = ({ marks }: Scene, key: string): Mark | undefined => marks.find((each) => each.key === key);
const keys = ({ marks }: Scene, pattern: RegExp) =>
  marks.filter(({ key }) => pattern.test(key)).map(({ key }) => key);

test("a step for each computed tile; it opens on long sequences", () => {
  const ids = flashAttention.steps(model, choices).map(({ id }) => id);
  expect(ids).toEqual(["start", "tile-1-1", "tile-2-1", "tile-2-2", "output", "long"]);
  expect(player(flashAttention).start(model, choices).step).toBe(5);
});

test("only the scores of the current tile are drawn", () => {
  expect(keys(at("start"), /^score:/)).toEqual([]);
  expect(keys(at("tile-2-1"), /^score:/)).toEqual(["score:2:0", "score:2:1", "score:3:0", "score:3:1"]);
  expect(keys(at("output"), /^score:/)).toEqual([]);
  expect(mark(at("output"), "scores:outline")?.dash).toBe(true);
  expect(mark(at("tile-2-2"), "score:2:3")?.hatch).toBeGreaterThan(0.5);
  expect(mark(at("tile-2-2"), "score:3:2")?.text).toBe("0.50");
});

test("the current tile has the border of fast memory, done tiles are pale, skipped ones hatched", () => {
  const scene = at("tile-2-1");
  expect(mark(scene, "fast")).toMatchObject({ x: mark(scene, "tile:1:0")!.x, y: mark(scene, "tile:1:0")!.y });
  expect(mark(scene, "tile:0:0")?.fillOpacity).toBeGreaterThan(0);
  expect(mark(scene, "tile:0:1")?.hatch).toBeGreaterThan(0.5);
  expect(mark(scene, "tile:1:1")?.fillOpacity).toBe(0);
  expect(mark(scene, "tile:0:1")?.ariaLabel).toBe("queries 1–2, keys 3–4: empty: fully masked, skipped");
});

test("m, l and o change with each tile", () => {
  const read = (scene: Scene) => ["m:2", "l:2"].map((key) => mark(scene, key)?.text);
  expect(read(at("tile-1-1"))).toEqual(["−∞", "0.00"]);
  expect(read(at("tile-2-2", 0.5))).toEqual(["0.30", "1.25"]);
  expect(read(at("tile-2-2"))).toEqual(["0.50", "2.75"]);
  expect(mark(at("tile-2-2"), "o:2:0")?.text).toBe("2.75");
  expect(mark(at("output"), "o:2:0")?.text).toBe("0.20");
});

test("the arithmetic of a query has the rescaling by a larger score", () => {
  const lines = (scene: Scene) =>
    scene.marks.filter(({ key }) => key.startsWith("update:")).map(({ text }) => text);
  expect(lines(at("tile-2-2"))).toEqual([
    "Query 3, step by step",
    "largest score of this tile: 0.40",
    "m = max(0.30, 0.40) = 0.50",
    "rescale by e^(0.30 − 0.50) ≈ 0.82",
    "l ≈ 0.82 · 1.25 + 0.90 ≈ 2.75",
    "o ≈ 0.82 · o + sum of e^(score − m) · value",
  ]);
  expect(lines(at("tile-2-2", 1, {}, 1120, "scores:3:2"))[0]).toBe("Query 4, step by step");
  expect(lines(at("tile-1-1"))[3]).toBe("nothing to rescale yet");
});

test("bytes grow with the tiles", () => {
  const texts = ["start", "tile-1-1", "tile-2-1", "tile-2-2", "output"].map(
    (id) => mark(at(id), "moved:tiled:bytes")?.text,
  );
  expect(texts).toEqual(["0 B", "48 B", "112 B", "160 B", "160 B"]);
  expect(mark(at("output"), "moved:plain:bytes")?.text).toBe("384 B");
});

test("without a panel beside them, the states of the queries fill the width", () => {
  for (const width of [840, 940, 1000]) {
    const scene = at("tile-2-2", 1, {}, width);
    const cells = scene.marks.filter(({ key }) => key.startsWith("o:"));
    const right = Math.max(...cells.map(({ x, width: w = 0 }) => x + w));
    const beside = mark(scene, "moved:title")!.x > right;
    expect(beside ? width : right).toBeGreaterThan(width - 16);
    expect(right).toBeLessThanOrEqual(width);
  }
});

test("the limit of a WebGPU buffer is a line if the scores exceed it", () => {
  const long = at("long");
  const bar = mark(long, "scores-held:plain:now")!;
  expect((mark(long, "limit:line")!.x - bar.x) / bar.width!).toBeCloseTo(1 / 64, 6);
  expect(mark(long, "limit:line")?.opacity).toBe(1);
  expect(mark(long, "limit:text")?.text).toContain("scores need 64 ×");
  expect(mark(at("long", 1, { length: 1024 }), "limit:line")?.opacity).toBe(0);
  expect(mark(at("long", 1, { length: 1024 }), "limit:text")?.text).toContain("fits in 128 MiB");
});

test.each([320, 358, 700, 1120])("at %i pixels every letter is in the picture and has 11 px", (width) => {
  for (const [step] of flashAttention.steps(model, choices).entries()) {
    const { marks, height } = flashAttention.scene(model, choices, { step, progress: 0.7 }, width);
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

test("the state as a table, long sequences too", () => {
  expect(flashAttention.table(model, choices, 3).rows[2]).toEqual([3, "0.500", "2.750", "2.750 −2.750"]);
  expect(flashAttention.table(model, choices, 5).rows[0]).toEqual([
    1024, 33_554_432, 134_217_728, 33_554_432,
  ]);
  expect(figureSvg(flashAttention, model, { choices, width: 358 })).toContain("FlashAttention, tile by tile");
});

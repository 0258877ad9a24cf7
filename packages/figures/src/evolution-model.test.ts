import { additive, attention } from "@qkv/attention";
import { costKinds, kvCache, readCacheLayers } from "@qkv/cost";
import { count, randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { evolutionModel } from "./evolution-model.js";

const model = evolutionModel();
const step = (id: string) => model.steps.find((one) => one.id === id)!;

test("weights of each row sum to 1 over the keys that it sees", () => {
  for (const { id, weights, drawing } of model.steps) {
    expect(weights, id).toHaveLength(drawing.numHeads);
    for (const map of weights)
      for (const row of map)
        expect(
          row.reduce<number>((sum, weight) => sum + (weight ?? 0), 0),
          id,
        ).toBeCloseTo(1, 5);
  }
});

test("each mask hides what it says", () => {
  const hidden = (id: string) =>
    step(id).weights[0]!.map((row) => row.filter((weight) => weight === null).length);
  expect(hidden("self-attention")).toEqual([0, 0, 0, 0, 0, 0]);
  expect(hidden("causal")).toEqual([5, 4, 3, 2, 1, 0]);
  expect(hidden("sliding-window")).toEqual([5, 4, 3, 3, 3, 3]);
});

test("a decoder's word looks at the word that it translates", () => {
  for (const id of ["additive", "dot-product"]) {
    const map = step(id).weights[0]!;
    expect(map).toHaveLength(model.written);
    expect(map.map((row) => row.indexOf(Math.max(...row.map(Number))))).toEqual([0, 1, 2, 3]);
  }
});

test("caches on the yardstick are those of @qkv/cost", () => {
  const bytes = (heads: number, window?: number) => {
    const layers = readCacheLayers({
      n_layers: 1,
      n_kv_heads: heads,
      head_dim: 128,
      ...(window !== undefined && { sliding_window: window }),
    });
    return kvCache(layers, { contextLength: 32_768 }).bytes / 32_768;
  };
  expect(step("multi-head").cacheBytesPerToken).toBe(bytes(32));
  expect(step("multi-query").cacheBytesPerToken).toBe(bytes(1));
  expect(step("grouped-query").cacheBytesPerToken).toBe(bytes(8));
  expect(step("sliding-window").cacheBytesPerToken).toBe(bytes(8, 4096));
  expect(step("causal").cacheBytesPerToken).toBe(bytes(32));
});

test("the work is what runs, counted on a small call", () => {
  const [S, D] = [64, 16];
  const [query, key] = [randn([1, 1, D], { seed: 1 }), randn([1, S, D], { seed: 2 })];
  const layer = additive({ queryDim: D, keyDim: D, hiddenDim: D });
  const params = layer.init(1);
  const keys = layer.projectKeys(params, key);
  const flops = count(() => layer.attend(params, query, keys, key)).flops - 2 * D * D; // less the projected query
  const expected = costKinds.full({ queryLength: 1, keyLength: S, numHeads: 1, headDim: D }) + 2 * S * D;
  expect(Math.abs(flops / expected - 1)).toBeLessThan(0.05);
  const dot = count(() =>
    attention(
      randn([1, 1, 1, D], { seed: 1 }),
      randn([1, 1, S, D], { seed: 2 }),
      randn([1, 1, S, D], { seed: 3 }),
    ),
  ).flops;
  expect(Math.abs(dot / (expected - 2 * S * D) - 1)).toBeLessThan(0.05);
});

test("each step names its paper, its problem and ten lines or fewer", () => {
  for (const { paper, problem, change, diff, year } of model.steps) {
    expect(paper.url).toMatch(
      /^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}$|^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{4,5}$/,
    );
    expect(year).toMatch(/^20\d\d/);
    expect(problem.length * change.length).toBeGreaterThan(0);
    expect(diff.length).toBeLessThanOrEqual(10);
  }
});

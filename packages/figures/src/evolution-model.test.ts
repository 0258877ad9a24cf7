import { additive, attention } from "@qkv/attention";
import { costKinds, kvCache, readCacheLayers } from "@qkv/cost";
import { count, randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { evolutionModel } from "./evolution-model.js";
import { mapsOfToday } from "./evolution/maps-of-today.js";
import { today } from "./evolution/numbers.js";

const model = evolutionModel();
const ofToday = ["linear", "gated-delta", "latent", "sparse", "hybrid"];
const step = (id: string) => model.steps.find((one) => one.id === id)!;

test("weights of each row sum to 1 over the keys that it sees", () => {
  for (const { id, weights, drawing } of model.steps) {
    expect(weights, id).toHaveLength(drawing.numHeads);
    if (id === "gated-delta" || id === "hybrid") continue; // a state's rows need not
    for (const map of weights)
      for (const row of map)
        expect(
          row.reduce<number>((sum, weight) => sum + (weight ?? 0), 0),
          id,
        ).toBeCloseTo(1, ofToday.includes(id) ? 1 : 5); // those are written with two digits
  }
});

test("each mask of a step masks the keys that its text names", () => {
  const hidden = (id: string) =>
    step(id).weights[0]!.map((row) => row.filter((weight) => weight === null).length);
  expect(hidden("self-attention")).toEqual([0, 0, 0, 0, 0, 0]);
  expect(hidden("causal")).toEqual([5, 4, 3, 2, 1, 0]);
  expect(hidden("sliding-window")).toEqual([5, 4, 3, 3, 3, 3]);
});

test("in the encoder–decoder, each word attends most to the word that it translates", () => {
  for (const id of ["additive", "dot-product"]) {
    const map = step(id).weights[0]!;
    expect(map).toHaveLength(model.written);
    expect(map.map((row) => row.indexOf(Math.max(...row.map(Number))))).toEqual([0, 1, 2, 3]);
  }
});

test("caches of the reference model are those of @qkv/cost", () => {
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

test("the stored numbers of recent mechanisms equal the computed ones, to two digits", () => {
  const all = (value: unknown): (number | null)[] =>
    value === null || typeof value === "number" ? [value] : Object.values(value as object).flatMap(all);
  const [written, computed] = [all(today), all(mapsOfToday())];
  expect(written).toHaveLength(computed.length);
  expect(written.map((x) => x === null)).toEqual(computed.map((x) => x === null));
  const differences = written.map((x, i) => Math.abs((x ?? 0) - (computed[i] ?? 0)));
  expect(Math.max(...differences)).toBeLessThanOrEqual(0.00501);
});

test("states and latents are counted as @qkv/cost counts a layer of them", () => {
  const state = { numbersPerToken: 0, reach: { kind: "causal" } as const, stateNumbers: 32 * 128 * 128 };
  const latents = readCacheLayers({ n_layers: 1, kv_lora_rank: 512, qk_rope_head_dim: 64 });
  const perToken = (layers: Parameters<typeof kvCache>[0]) =>
    kvCache(layers, { contextLength: 32_768 }).bytes / 32_768;
  expect(step("linear").cacheBytesPerToken).toBe(perToken([state]));
  expect(step("gated-delta").cacheBytesPerToken).toBe(32);
  expect(step("latent").cacheBytesPerToken).toBe(2 * 576);
  expect(step("hybrid").cacheBytesPerToken).toBe(perToken([state, state, state, ...latents]) / 4);
});

test("implied weights are not negative for additive states, and some are negative for the delta rule", () => {
  const { weights, drawing } = step("linear");
  expect(drawing.states).toHaveLength(weights.length);
  for (const state of drawing.states!) expect([state!.length, state![0]!.length]).toEqual([8, 8]);
  for (const map of weights)
    for (const row of map) for (const weight of row) expect(weight ?? 0).toBeGreaterThanOrEqual(0);
  const negative = step("gated-delta")
    .weights.flat(2)
    .filter((weight) => weight !== null && weight < 0);
  expect(negative.length).toBeGreaterThan(0);
});

test("the newest query attends to the selected blocks and no other key", () => {
  const { weights, drawing } = step("sparse");
  weights.forEach((map, h) => {
    const read = map.at(-1)!.flatMap((weight, j) => (weight === null ? [] : [j]));
    expect(read).toEqual(drawing.chosen![Math.floor(h / 2)]); // the heads of a group choose together
    expect(read).toHaveLength(4);
  });
});

test("the FLOPs of each step equal those counted on a small call", () => {
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

import { bracketModel, palindromeModel, sortingModel } from "@qkv/model-tiny/algorithms";
import { argmax, slice } from "@qkv/tensor";
import { bracketBatches, palindromeBatches, sortBatches } from "@qkv/transformer/tasks";
import { expect, test } from "vitest";
import { copyingScore, ovCircuit } from "../heads/circuits.js";
import { logitLensTokens } from "../logit-lens-tokens.js";
import { ablate } from "../patching/ablate.js";
import { runWithTrace, type Hooks } from "../run-with-trace.js";
import { loadTransformerLens } from "./load-transformer-lens.js";
import { casesByTier } from "../../../../scripts/tier.mjs";

const models = {
  brackets: [bracketModel, bracketBatches],
  palindromes: [palindromeModel, palindromeBatches],
  sorting: [sortingModel, sortBatches],
} as const;

/** The share of held-out rows of which a model gives every answer. */
async function accuracy(name: keyof typeof models, hooks: Hooks = {}): Promise<number> {
  const [file, batches] = models[name];
  const model = await loadTransformerLens(await file());
  const { ids, targets } = batches({ seed: 77, batchSize: 1000 })(0);
  const [B, T] = ids.shape as [number, number];
  const best = argmax(runWithTrace(model, ids, { names: [], hooks }).logits, { axis: -1 }).data;
  const rows = Array.from({ length: B }, (_, b) => targets.data.subarray(b * T, (b + 1) * T));
  return (
    rows.filter((row, b) => row.every((target, t) => target < 0 || target === best[b * T + t])).length / B
  );
}

const names = Object.keys(models) as (keyof typeof models)[];

test.each(casesByTier(names, (name) => name === "sorting"))(
  "the model of %s is right on 99.5 % of rows that it was not trained on, and needs a head",
  async (name) => {
    expect(await accuracy(name)).toBeGreaterThanOrEqual(0.995);
    const [file] = models[name];
    const { config } = await loadTransformerLens(await file());
    const heads = Array.from({ length: 2 * config.numLayers }, (_, n) => ({ layer: n >> 1, head: n % 2 }));
    const without = await Promise.all(heads.map((head) => accuracy(name, ablate([head]))));
    expect(Math.min(...without)).toBeLessThan(0.9);
  },
);

test("the heads that sort copy numbers; the separator has no row in the output", async () => {
  const model = await loadTransformerLens(await sortingModel());
  const tokens = Array.from({ length: 32 }, (_, id) => id);
  for (const head of [0, 1])
    expect(copyingScore(model, { layer: 0, head, tokens, topK: 3 })).toBeGreaterThan(0.8);
  expect(() => ovCircuit(model, { layer: 0, head: 0, tokens: [1, 32] })).toThrow(
    /ovCircuit: `tokens` .*expected ids below 32, as the output has 32 rows/,
  );
});

test("the logit lens accepts a model with fewer outputs than its default of tokens", async () => {
  const model = await loadTransformerLens(await bracketModel());
  const { probabilities, final } = await logitLensTokens(model, [0, 1, 1, 2, 2, 3]);
  expect(probabilities.shape).toEqual([3, 6, 2]);
  expect(final.probabilities.data.at(-1)).toBeGreaterThan(0.99);
  await expect(logitLensTokens(model, [0, 1, 2, 3], { topK: 3 })).rejects.toThrow(
    /`topK` is 3, .* at most 2/,
  );
});

test("a file holds what TransformerLens names, and is small", async () => {
  for (const [file] of Object.values(models)) {
    const { size } = await file();
    expect(size).toBeLessThan(100_000);
  }
  const { params } = await loadTransformerLens(await palindromeModel());
  expect(slice(params.output!.weight, 0, 0, 1).shape).toEqual([1, 32]);
});

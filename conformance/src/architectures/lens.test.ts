import {
  ablate,
  decomposeResidual,
  gradientTimesInput,
  inFloat64,
  logitDifference,
  logitParts,
  patch,
  runWithTrace,
  scoreGraph,
  scoreParts,
  type LensModel,
} from "@qkv/lens";
import { add, mul, sum, type Tensor } from "@qkv/tensor";
import { layerAttention, load } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { decoderFolders } from "./decoder-folders.js";
import { casesByTier } from "../../../scripts/tier.mjs";

/** In float64, parts sum up within 1e-10 of the largest value. */
const exact = 1e-10;
const text = (model: LensModel, length: number, seed: number) =>
  Array.from({ length }, (_, i) => (37 * i + 11 * seed + 3) % model.config.vocabSize);
const total = (parts: readonly { value: Tensor }[]) =>
  parts.map(({ value }) => value).reduce((a, b) => add(a, b));
const largest = (x: Tensor) => Math.max(1, ...Array.from(x.data, (one) => Math.abs(Number(one))));

/** In the first tier, a decoder with grouped heads, windows, and norms before and after each layer. */
const folders = decoderFolders();
const tested = casesByTier(folders, (name) => name === "gemma2");

test("the folder contains decoders", () => expect(folders.length).toBeGreaterThan(25));

test.each(tested)("%s: parts sum to the residual stream, to logits and to scores", async (name) => {
  const model = inFloat64(await load(ownData.path(`hf/${name}`)));
  const ids = text(model, 7, 1);
  const { tensors, logits } = runWithTrace(model, ids);
  const stream = tensors["finalInput"]!;
  const atol = exact * largest(stream);
  expect(total(decomposeResidual(model, ids)).data).toBeAllclose(stream.data, { rtol: 0, atol });

  for (const options of [{}, { token: 1, minus: 2, position: 3 }]) {
    const { logit, parts } = logitParts(model, ids, options);
    const size = parts.reduce((most, { value }) => Math.max(most, Math.abs(value)), 1);
    const whole = parts.reduce((sum, { value }) => sum + value, 0);
    expect(Math.abs(whole - logit)).toBeLessThan(exact * size);
  }
  // Split by source token, the parts of a head sum to the head's output.
  const whole = logitParts(model, ids).parts;
  const byName = new Map<string, number>();
  for (const { name, value } of logitParts(model, ids, { keys: true }).parts) {
    const source = name.replace(/\.keys\.\d+$/, "");
    byName.set(source, (byName.get(source) ?? 0) + value);
  }
  expect([...byName.keys()]).toEqual(whole.map(({ name }) => name));
  const most = whole.reduce((most, { value }) => Math.max(most, Math.abs(value)), 1);
  for (const { name, value } of whole)
    expect(Math.abs(byName.get(name)! - value), name).toBeLessThan(exact * most);
  expect(logitParts(model, ids).logit).toBe(Math.max(...logits.data.slice(-model.config.vocabSize)));

  const attends = Array.from({ length: model.config.numLayers }, (_, i) => i).filter((i) =>
    layerAttention(model.config, i),
  );
  for (const layer of attends) {
    const head = layer % layerAttention(model.config, layer)!.config.numHeads;
    for (const [query, key] of [
      [6, 5],
      [6, 0],
      [3, 3],
    ] as const) {
      const { dot, score, softcap, bias, values } = scoreParts(model, ids, { layer, head, query, key });
      if (!Number.isFinite(score)) continue;
      const tolerance = exact * largest(values);
      expect(Math.abs(sum(values).data[0]! - dot), `layer ${layer}, ${query} to ${key}`).toBeLessThan(
        tolerance,
      );
      expect(Math.abs(dot + softcap + bias - score)).toBeLessThan(exact * Math.max(1, Math.abs(score)));
    }
  }
  // Traced back through two layers, the sources of a head sum to its part.
  const last = attends.at(-1);
  if (last === undefined) return;
  const place = { layer: last, head: 0, query: 4, key: 2 };
  if (!Number.isFinite(scoreParts(model, ids, place).score)) return;
  const { dot, nodes } = scoreGraph(model, ids, place);
  const sumOf = (children: typeof nodes) => children.reduce((sum, { value }) => sum + value, 0);
  const size = nodes.reduce((most, { value }) => Math.max(most, Math.abs(value)), 1);
  for (const side of ["query", "key"]) {
    const roots = nodes.filter((node) => node.side === side && node.parent === undefined);
    expect(Math.abs(sumOf(roots) - dot)).toBeLessThan(exact * size);
  }
  for (const { id, name, value } of nodes) {
    const children = nodes.filter(({ parent }) => parent === id);
    if (children.length > 0) expect(Math.abs(sumOf(children) - value), name).toBeLessThan(exact * size);
  }
});

test.each(tested)(
  "%s: every name is traced; all of run B in run A gives B, and of A nothing",
  async (name) => {
    const model = await load(ownData.path(`hf/${name}`));
    const [a, b] = [runWithTrace(model, text(model, 6, 2)), runWithTrace(model, text(model, 6, 5))];
    expect(Object.keys(a.tensors).sort()).toEqual(tensorNames(model.config).sort());
    const run = (tensors: typeof a.tensors) =>
      runWithTrace(model, text(model, 6, 2), { names: [], hooks: patch(tensors) }).logits;
    expect(run(b.tensors).data).toEqual(b.logits.data);
    const nothing = runWithTrace(model, text(model, 6, 2), { names: [], hooks: ablate([]) }).logits;
    expect(nothing.data).toEqual(a.logits.data);
    const own = run(a.tensors).data;
    expect(own).toBeAllclose(a.logits.data, { rtol: 0, atol: 1e-5 * largest(a.logits) });
  },
);

test.each(tested)("%s: the gradient at its embeddings equals central differences", async (name) => {
  const model = inFloat64(await load(ownData.path(`hf/${name}`)));
  const ids = text(model, 6, 3);
  const metric = logitDifference({ token: 1, minus: 2 });
  const at = (scale: number) => {
    const hooks = { embeddings: (x: Tensor) => mul(x, scale) };
    return metric(runWithTrace(model, ids, { names: [], hooks }).logits).data[0]!;
  };
  const h = 1e-5;
  const slope = sum(gradientTimesInput(model, ids, { metric })).data[0]!;
  const difference = (at(1 + h) - at(1 - h)) / (2 * h);
  expect(Math.abs(slope - difference)).toBeLessThan(1e-6 * Math.max(1, Math.abs(difference)));
});

import { previousToken } from "@qkv/attention";
import { modelTiny } from "@qkv/model-tiny";
import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import { logitParts } from "../decompose/logit-parts.js";
import { scoreGraph } from "../decompose/score-graph.js";
import { scoreParts } from "../decompose/score-parts.js";
import { headScores } from "../heads/head-scores.js";
import { ablate } from "../patching/ablate.js";
import { activationPatching } from "../patching/activation-patching.js";
import { attributionPatching } from "../patching/attribution-patching.js";
import { logitDifference } from "../patching/metric.js";
import { runWithTrace } from "../run-with-trace.js";
import { lensSession } from "./lens-session.js";
import type { Asking } from "./answers.js";
import { smallMaps } from "./head-maps.js";
import { predictions } from "./predictions.js";

const model = await load(await modelTiny());
const session = lensSession(model);
const text = "The cat sat on the mat. The cat sat on the";
const ids = [...model.tokenizer!.encode(text, { addSpecialTokens: false })];
const T = ids.length;
const { logits, tensors } = runWithTrace(model, ids);
const run = await session.run({ text });

test("a run has the tokens, the scores of all heads and the next token", async () => {
  expect(run.tokens.join("")).toBe(text);
  expect(await session.tokens({ text })).toEqual(run.tokens);
  expect(run.layers).toEqual([0, 1, 2, 3]);
  expect([run.numHeads, run.numLayers, run.cells]).toEqual([4, 4, T]);
  const { data } = headScores(model, ids, previousToken).values;
  run.scores.previousToken!.forEach((score, i) => expect(score).toBeCloseTo(data[i]!, 5));
  expect(Object.keys(run.scores)).toEqual(["previousToken", "firstToken", "sameToken", "induction"]);
  const row = logits.data.slice(-model.config.vocabSize);
  expect(run.next.map(({ id }) => id)).toEqual(predictions(row, 10, String).map(({ id }) => id));
});

test("a text of one token, and one without a repetition, have the scores that they can show", async () => {
  expect(Object.keys((await session.run({ text: "The" })).scores)).toEqual([]);
  expect(Object.keys((await session.run({ text: "The cat" })).scores)).toEqual([
    "previousToken",
    "firstToken",
  ]);
  await expect(session.run({ text: "" })).rejects.toThrow(/`text`/);
  await expect(session.run({ text: "cat ".repeat(400) })).rejects.toThrow(/256 tokens or fewer/);
});

test("a head's weights are those of the pass, kept or computed again up to its layer", async () => {
  const weights = tensors["layers.2.attention.weights"]!.data.slice(T * T, 2 * T * T);
  const same = async () => {
    const answer = await session.head({ text, layer: 2, head: 1 });
    answer.weights.forEach((weight, i) => expect(weight).toBeCloseTo(weights[i]!, 5));
  };
  await same();
  await session.run({ text });
  await same();
  await expect(session.head({ text, layer: 2, head: 4 })).rejects.toThrow(/`head` is 4/);
  await expect(session.head({ text, layer: 4, head: 0 })).rejects.toThrow(/layers\.4/);
});

test("maps of long texts keep the largest weight of each block", () => {
  const small = smallMaps(tensors["layers.1.attention.weights"]!, 4);
  expect(small.length).toBe(4 * 16);
  const { data } = tensors["layers.1.attention.weights"]!;
  expect(Math.max(...small.subarray(0, 16))).toBe(Math.max(...data.subarray(0, T * T)));
});

test("the last row of the logit lens is the model's own prediction", async () => {
  const rows = await session.logitLens({ text, positions: [2, T - 1], top: 3 });
  expect(rows.length).toBe(5 * 2);
  expect(rows.slice(0, 2).map(({ layer, position }) => [layer, position])).toEqual([
    [-1, 2],
    [-1, T - 1],
  ]);
  expect(rows.at(-1)!.top.map(({ text }) => text)).toEqual(run.next.slice(0, 3).map(({ text }) => text));
  await expect(session.logitLens({ text, positions: [T] })).rejects.toThrow(/`position`/);
});

test("reasons are the parts of the score, and with the rest they sum to it", async () => {
  const place = { layer: 2, head: 1, query: T - 1, key: 1 };
  const { pairs, rest, dot } = await session.scoreParts({ text, ...place, pairs: 5 });
  const exact = scoreParts(model, ids, place);
  expect(dot).toBe(exact.dot);
  expect(pairs.length).toBe(5);
  expect(Math.abs(pairs[0]!.value)).toBe(Math.max(...exact.values.data.map(Math.abs)));
  expect(pairs.reduce((sum, { value }) => sum + value, rest)).toBeCloseTo(dot, 9);
});

test("a score's graph is that of scoreGraph, traced on through the heads among its sources", async () => {
  const place = { layer: 2, head: 1, query: T - 1, key: 4 };
  const graph = await session.scoreGraph({ text, ...place });
  const exact = scoreGraph(model, ids, place);
  expect(graph.nodes.map(({ name, parent, position }) => [name, parent, position])).toEqual(
    exact.nodes.map(({ name, parent, position }) => [name, parent, position]),
  );
  expect(graph.nodes.some(({ parent }) => parent !== undefined)).toBe(true);
  expect(graph.dot).toBeCloseTo(exact.dot, 5);
  const { nodes } = await session.scoreGraph({ text, ...place, depth: 1, threshold: 0 });
  expect(nodes.some(({ parent }) => parent !== undefined)).toBe(false);
});

test("parts of a logit are sorted, and their token has its probability", async () => {
  const { parts, token, logit } = await session.logitParts({ text });
  expect(token).toEqual(run.next[0]);
  expect(logit).toBeCloseTo(logitParts(model, ids).logit, 5);
  expect(Math.abs(parts[0]!.value)).toBeGreaterThanOrEqual(Math.abs(parts[1]!.value));
  expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(logit, 3);
});

test("an ablation gives the next tokens of the ablated run", async () => {
  const targets = [{ layer: 1, head: 2 }, { layer: 3, part: "feedForward" } as const];
  const { next, watched } = await session.ablate({ text, targets, tokens: [run.next[0]!.id] });
  const row = runWithTrace(model, ids, { hooks: ablate(targets), last: 1, names: [] }).logits.data;
  expect(next).toEqual(predictions(row, 10, (id) => next.find((one) => one.id === id)!.text));
  expect(watched[0]).toMatchObject({ id: run.next[0]!.id, text: run.next[0]!.text });
  const nothing = await session.ablate({ text, targets: [] });
  expect(nothing.next.map(({ id }) => id)).toEqual(run.next.map(({ id }) => id));
  expect(nothing.next[0]!.probability).toBeCloseTo(run.next[0]!.probability, 6);
});

test("maps of patches are those of attribution patching, and one patch is exact", async () => {
  const [one, other] = ["The cat sat on the", "The dog sat on the"];
  const [token, minus] = [run.next[0]!.id, run.next[1]!.id];
  const question = { text: one, source: other, token, minus };
  const map = await session.attributionPatching(question);
  const metric = logitDifference({ token, minus });
  const estimated = await attributionPatching(model, one, other, { metric });
  expect(map.names).toEqual(estimated.names);
  expect(map.columns).toBe(5);
  for (const [i, value] of map.values.entries()) expect(value).toBeCloseTo(estimated.values.data[i]!, 4);
  const exact = await activationPatching(model, one, other, { metric });
  const place = { name: "layers.2.output", position: 1 };
  expect(await session.patch({ ...question, place })).toBeCloseTo(exact.values.data[2 * 5 + 1]!, 4);
  const heads = await session.attributionPatching({ ...question, by: "head" });
  expect([heads.columns, heads.names.length]).toEqual([4, 4]);
});

test.each<[string, (asking?: Asking) => Promise<unknown>]>([
  ["forward", (asking) => session.run({ text }, asking)],
  [
    "backward",
    (asking) => session.attributionPatching({ text: "The cat", source: "The dog", token: 5 }, asking),
  ],
])(
  "a question can be cancelled at any tensor of a pass, %s, and the next one is answered",
  async (_, ask) => {
    await ask(); // what is kept is there
    const parts: number[] = [];
    await ask({ onProgress: (part) => parts.push(part) });
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.every((part) => part >= 0 && part <= 1)).toBe(true);
    for (const at of [0, 5, parts.length - 1]) {
      let left = at;
      const cancelled = ask({ isCancelled: () => (left -= 1) < 0 });
      await expect(cancelled).rejects.toMatchObject({ name: "AbortError" });
    }
    expect((await session.run({ text })).next).toEqual(run.next);
  },
);

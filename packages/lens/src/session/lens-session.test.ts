import { previousToken } from "@qkv/attention";
import { modelTiny } from "@qkv/model-tiny";
import { mul, tensor } from "@qkv/tensor";
import { decoder, load, type FeedForwardParams } from "@qkv/transformer";
import { expect, test, vi } from "vitest";
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
import type { CallOptions } from "./answers.js";
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

test("a text of one token, and one without a repetition, have scores only for the patterns that they can have", async () => {
  expect(Object.keys((await session.run({ text: "The" })).scores)).toEqual([]);
  expect(Object.keys((await session.run({ text: "The cat" })).scores)).toEqual([
    "previousToken",
    "firstToken",
  ]);
  await expect(session.run({ text: "" })).rejects.toThrow(/`text`/);
  await expect(session.tokens(undefined as never)).rejects.toThrow(/lensSession: `text` is undefined/);
  await expect(session.logitLens({ text: "The" } as never)).rejects.toThrow(/lensSession: `positions` is/);
  await expect(session.run({ text: "cat ".repeat(400) })).rejects.toThrow(/256 tokens or fewer/);
});

test("for a long text, only the weights of the requested head are copied", async () => {
  const config = {
    ...{ vocabSize: model.config.vocabSize, embedDim: 8, hiddenDim: 8, numLayers: 1, contextLength: 256 },
    ...{ numHeads: 16, numKvHeads: 1, headDim: 2, normEps: 1e-5, stopIds: [] },
  };
  const { init, apply } = decoder(config);
  const wide = lensSession({ config, params: init(1), apply, tokenizer: model.tokenizer! });
  const text = "the cat ".repeat(90);
  const { length } = (await wide.run({ text })).tokens;
  let longest = 0;
  vi.stubGlobal(
    "Float32Array",
    new Proxy(Float32Array, {
      construct(target, [from, ...more]: [Float32Array, ...[]]) {
        if (ArrayBuffer.isView(from)) longest = Math.max(longest, from.length);
        return new target(from, ...more);
      },
    }),
  );
  const { weights } = await wide.head({ text, layer: 0, head: 3 });
  vi.unstubAllGlobals();
  expect(weights).toHaveLength(length ** 2);
  expect(weights.buffer.byteLength).toBe(4 * length ** 2);
  expect(longest).toBeLessThan(2 * length ** 2);
  await expect(wide.head({ text, layer: 0, head: 16 })).rejects.toThrow(/`head` is 16/);
});

test("a head with uniform attention scores the baseline of each pattern", async () => {
  expect(Object.keys(run.uniform)).toEqual(Object.keys(run.scores));
  // The keys of a query that attends evenly: 1 / (query + 1) each.
  const even = (keys: (query: number) => number) => {
    const asked = ids.map((_, query) => query).filter((query) => keys(query) > 0);
    return asked.reduce((sum, query) => sum + keys(query) / (query + 1), 0) / asked.length;
  };
  expect(run.uniform.previousToken).toBeCloseTo(
    even((query) => Math.min(query, 1)),
    6,
  );
  const continued = (query: number) => ids.filter((id, key) => id === ids[query] && key + 1 <= query).length;
  expect(run.uniform.induction).toBeCloseTo(even(continued), 6);
});

test("copying tests tokens that an induction head attends to; this model copies none", async () => {
  const heads = [
    { layer: 1, head: 0 },
    { layer: 1, head: 1 },
  ];
  // " sat", " on", " the" and " mat" follow tokens that occur again.
  const { positions, copied } = await session.copying({ text, heads });
  expect(positions).toEqual([2, 3, 4, 5]);
  expect(copied).toEqual([0, 0]);
  expect((await session.copying({ text: "The cat", heads })).copied).toEqual([]);
});

test("copying counts the tokens whose logits a head raises, read from the residual stream", async () => {
  const { vocabSize: V } = model.config;
  const config = {
    ...{ vocabSize: V, embedDim: 8, hiddenDim: 4, numLayers: 2, numHeads: 2, numKvHeads: 2, headDim: 8 },
    ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
  };
  const { init, apply } = decoder(config);
  const params = init(1);
  // Each token of the text is a direction of its own.
  const table = new Float32Array(V * 8);
  [...new Set(ids)].forEach((id, i) => (table[id * 8 + i] = 1));
  params.embedding.weight = tensor(table, { shape: [V, 8] });
  const square = (at: (row: number, column: number) => number, [rows, columns]: [number, number]) =>
    tensor(
      Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns)),
      { shape: [rows, columns] },
    );
  for (const { attention, feedForward } of params.layers) {
    attention.value.weight = square((row, column) => Number(row % 8 === column), [16, 8]);
    // Head 0 writes what it reads, head 1 takes away twenty times as much.
    attention.output.weight = square(
      (row, column) => (column % 8 === row ? (column < 8 ? 1 : -20) : 0),
      [8, 16],
    );
    const { down } = feedForward as FeedForwardParams;
    down.weight = mul(down.weight, 0);
  }
  const copier = lensSession({ config, params, apply, tokenizer: model.tokenizer! });
  const heads = [
    { layer: 0, head: 0 },
    { layer: 0, head: 1 },
    { layer: 1, head: 0 },
  ];
  // After layer 0 the stream has nothing left of a token that layer 1 could copy.
  expect((await copier.copying({ text, heads, positions: 3 })).copied).toEqual([3, 0, 0]);
});

test("repeatedTokens repeats random tokens once", async () => {
  const random = await session.repeatedTokens({ seed: 3 });
  const list = [...model.tokenizer!.encode(random, { addSpecialTokens: false })];
  expect(list.length).toBe(40);
  expect(list.slice(20)).toEqual(list.slice(0, 20));
  expect(new Set(list).size).toBe(20);
  // Whole words: tokens with a space before them, of letters alone, that are no beginning of a longer one.
  const vocabulary = Array.from(
    { length: model.config.vocabSize },
    (_, id) => model.tokenizer!.token(id) ?? "",
  );
  for (const seed of [3, 4, 5, 6]) {
    const words = (await session.repeatedTokens({ seed })).trim().split(" ");
    for (const word of words) {
      expect(word).toMatch(/^\p{L}{4,}$/u);
      expect(vocabulary).toContain(`Ġ${word}`);
      expect(vocabulary.filter((token) => token.startsWith(`Ġ${word}`))).toEqual([`Ġ${word}`]);
    }
  }
  expect(await session.repeatedTokens({ seed: 3 })).toBe(random);
  expect(await session.repeatedTokens({ seed: 4 })).not.toBe(random);
  expect((await session.run({ text: random })).uniform.induction).toBeLessThan(0.04);
  await expect(session.repeatedTokens({ seed: 1, length: 200 })).rejects.toThrow(/`length` is 200/);
});

test("a head's weights are those of a full pass, cached or recomputed up to its layer", async () => {
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

test("a small map has the largest weight of each block", () => {
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

test("pairs are parts of the score, and sum to it with the rest", async () => {
  const place = { layer: 2, head: 1, query: T - 1, key: 1 };
  const { pairs, rest, dot } = await session.scoreParts({ text, ...place, pairs: 5 });
  const exact = scoreParts(model, ids, place);
  expect(dot).toBe(exact.dot);
  expect(pairs.length).toBe(5);
  expect(Math.abs(pairs[0]!.value)).toBe(Math.max(...exact.values.data.map(Math.abs)));
  expect(pairs.reduce((sum, { value }) => sum + value, rest)).toBeCloseTo(dot, 9);
});

test("the graph of a session is that of scoreGraph, expanded through the heads among its sources", async () => {
  const place = { layer: 2, head: 1, query: T - 1, key: 4 };
  const graph = await session.scoreGraph({ text, ...place });
  const exact = scoreGraph(model, ids, place);
  expect(graph.nodes.map(({ name, parent, position }) => [name, parent, position])).toEqual(
    exact.nodes.map(({ name, parent, position }) => [name, parent, position]),
  );
  expect(graph.nodes.some(({ parent }) => parent !== undefined)).toBe(true);
  graph.nodes.forEach(({ value }, i) => expect(value).toBeCloseTo(exact.nodes[i]!.value, 4));
  expect(graph.dot).toBeCloseTo(exact.dot, 5);
  const { nodes } = await session.scoreGraph({ text, ...place, depth: 1, threshold: 0 });
  expect(nodes.some(({ parent }) => parent !== undefined)).toBe(false);
});

test("the graph of a pair expands its feed-forward layers", async () => {
  const place = { layer: 3, head: 0, query: T - 1, key: 4 };
  const { pairs } = await session.scoreParts({ text, ...place, pairs: 400 });
  const one = pairs.find(({ query, key }) => query.kind === "feedForward" && key.kind === "feedForward")!;
  const pair = { query: one.query.name, key: one.key.name };
  const { dot, nodes } = await session.scoreGraph({ text, ...place, pair, threshold: 0 });
  expect(dot).toBeCloseTo(one.value, 4);
  const roots = nodes.filter(({ parent }) => parent === undefined);
  expect(roots.map(({ name }) => name)).toEqual([pair.query, pair.key]);
  for (const { id, value } of roots) {
    const children = nodes.filter(({ parent }) => parent === id);
    expect(children.some(({ kind }) => kind === "head")).toBe(true);
    expect(children.reduce((sum, child) => sum + child.value, 0)).toBeCloseTo(value, 4);
  }
});

test("a graph computes no layer after that of the score", async () => {
  const parts: number[] = [];
  const place = { layer: 1, head: 1, query: T - 1, key: 4 };
  await session.scoreGraph({ text, ...place }, { onProgress: (part) => parts.push(part) });
  expect(Math.max(...parts)).toBeGreaterThan(0.25);
  expect(Math.max(...parts)).toBeLessThan(0.5);
});

test("a graph calls isCancelled at each expanded source, and ends when it returns true", async () => {
  const question = { text, layer: 2, head: 1, query: T - 1, key: 4 };
  const asked = async (depth: number, most = Infinity) => {
    let times = 0;
    const isCancelled = () => (times += 1) > most;
    const { nodes } = await session.scoreGraph({ ...question, depth }, { isCancelled });
    return { times, traced: new Set(nodes.map(({ parent }) => parent)).size - 1 };
  };
  const [one, two] = [await asked(1), await asked(2)];
  expect(two.traced).toBeGreaterThan(1);
  expect(two.times - one.times).toBe(two.traced);
  await expect(asked(2, two.times - 1)).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
});

test("parts of a logit are sorted, and their token has its probability", async () => {
  await session.run({ text });
  let steps = 0;
  await session.logitParts({ text }, { onProgress: () => (steps += 1) });
  expect(steps).toBe(0); // the text was run before, so no forward pass is computed
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

test("the logit lens returns the probability and rank of requested tokens", async () => {
  const tokens = [run.next[0]!.id, run.next[3]!.id];
  const rows = await session.logitLens({ text, positions: [T - 1], tokens });
  expect(rows.at(-1)!.watched.map(({ rank }) => rank)).toEqual([1, 4]);
  expect(rows.at(-1)!.watched[1]!.probability).toBeCloseTo(run.next[3]!.probability, 5);
  for (const { top, watched } of rows)
    if (watched[0]!.rank <= top.length) expect(top[watched[0]!.rank - 1]!.id).toBe(tokens[0]);
    else expect(watched[0]!.probability).toBeLessThan(top.at(-1)!.probability);
});

const without = [{ layer: 1, head: 2 }, { layer: 2, part: "attention" } as const];
const ablated = runWithTrace(model, ids, { hooks: ablate(without) });
const lastRow = ablated.logits.data.slice(-model.config.vocabSize);

test("a run with ablated parts is a run of the ablated model, maps and scores included", async () => {
  await session.run({ text });
  const changed = await session.run({ text, without, tokens: [7] });
  const best = predictions(lastRow, 10, String);
  expect(changed.next.map(({ id }) => id)).toEqual(best.map(({ id }) => id));
  expect(changed.next[0]!.probability).toBeCloseTo(best[0]!.probability, 5);
  expect(changed.watched.map(({ id }) => id)).toEqual([7]);
  expect(changed.layers).toEqual(run.layers);
  const weights = ablated.tensors["layers.3.attention.weights"]!;
  previousToken(weights).data.forEach((score, h) =>
    expect(changed.scores.previousToken![3 * 4 + h]).toBeCloseTo(score, 5),
  );
  const { weights: ofHead } = await session.head({ text, without, layer: 3, head: 1 });
  ofHead.forEach((weight, i) => expect(weight).toBeCloseTo(weights.data[T * T + i]!, 5));
  // Layers before the first missing part stay as they were.
  expect(changed.maps.subarray(0, 8 * T * T)).toEqual(run.maps.subarray(0, 8 * T * T));
  expect(changed.maps.subarray(-4 * T * T)).not.toEqual(run.maps.subarray(-4 * T * T));
  await expect(session.run({ text, without: [{ layer: 4, head: 0 }] })).rejects.toThrow(/`without.layer`/);
});

test("a run with ablated parts computes no layer before them", async () => {
  await session.run({ text });
  const steps = async (layer: number) => {
    let count = 0;
    const targets = [{ layer, head: 0 }];
    await session.run({ text, without: targets }, { onProgress: () => (count += 1) });
    return count;
  };
  expect(await steps(3)).toBeLessThan((await steps(0)) / 2);
});

test("logit lens, parts and pairs with ablated parts are those of the ablated model, and sum to its logits and scores", async () => {
  const rows = await session.logitLens({ text, without, positions: [T - 1], top: 3 });
  expect(rows.at(-1)!.top.map(({ id }) => id)).toEqual(predictions(lastRow, 3, String).map(({ id }) => id));
  const [token, minus] = [run.next[0]!.id, run.next[1]!.id];
  const parts = await session.logitParts({ text, without, token, minus });
  expect(parts.logit).toBeCloseTo(lastRow[token]! - lastRow[minus]!, 4);
  expect(parts.minus!.id).toBe(minus);
  expect(parts.parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(parts.logit, 3);
  const partValue = (name: string) => parts.parts.find((one) => one.name === name)?.value;
  expect([partValue("layers.1.heads.2"), partValue("layers.2.attention")].map(Math.abs as never)).toEqual([
    0, 0,
  ]);
  const place = { layer: 3, head: 1, query: T - 1, key: 1 };
  const { dot, pairs, rest } = await session.scoreParts({ text, without, ...place, pairs: 5 });
  const scores = ablated.tensors["layers.3.attention.dots"]!;
  expect(dot).toBeCloseTo(scores.data[(T + place.query) * T + place.key]!, 4);
  expect(pairs.reduce((sum, { value }) => sum + value, rest)).toBeCloseTo(dot, 3);
  const graph = await session.scoreGraph({ text, without, ...place });
  expect(graph.dot).toBeCloseTo(dot, 4);
  const ofKey = graph.nodes.filter(({ side, parent }) => side === "key" && parent === undefined);
  expect(ofKey.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(dot, 3);
});

test("patches with ablated parts are those of the ablated model", async () => {
  const [one, other] = ["The cat sat on the", "The dog sat on the"];
  const question = { text: one, source: other, token: 5, minus: 9, without };
  const map = await session.attributionPatching(question);
  const metric = logitDifference({ token: 5, minus: 9 });
  const ablatedLogits = (text: string) =>
    runWithTrace(model, text, { names: [], hooks: ablate(without) }).logits;
  expect(map.unpatched).toBeCloseTo(Number(metric(ablatedLogits(one)).data[0]), 4);
  expect(map.source).toBeCloseTo(Number(metric(ablatedLogits(other)).data[0]), 4);
  const { values, columns, source } = map;
  // After the last layer, the logits depend on the last position alone.
  const place = { name: "layers.3.output", position: columns - 1 };
  expect(await session.patch({ ...question, place })).toBeCloseTo(source, 4);
  // A head that is ablated in both runs has no difference.
  const heads = await session.attributionPatching({ ...question, by: "head" });
  expect(heads.values[4 + 2]).toBeCloseTo(heads.unpatched, 6);
  expect(Math.abs(values[0]! - map.unpatched)).toBeLessThan(1e-4);
});

test("patches are measured by the predictions of both texts, unless tokens are given", async () => {
  const [one, other] = ["The cat sat on the", "The sun is in the"];
  const [ofOne, ofOther] = [
    await session.run({ text: other }),
    await session.run({ text: one }),
  ].toReversed();
  const map = await session.attributionPatching({ text: one, source: other });
  expect(map.sourceNext.map(({ id }) => id)).toEqual(ofOther!.next.map(({ id }) => id));
  expect(ofOther!.next[0]!.id).not.toBe(ofOne!.next[0]!.id);
  expect([map.token.id, map.minus!.id]).toEqual([ofOne!.next[0]!.id, ofOther!.next[0]!.id]);
  const given = await session.attributionPatching({ text: one, source: other, token: 5, minus: 9 });
  expect([given.token.id, given.minus!.id]).toEqual([5, 9]);
});

test("if both texts have the same prediction, patches are measured by the probable tokens whose logits differ most", async () => {
  const [one, other] = ["The boy lost his dog. He was very", "The boy found his dog. He was very"];
  const ofOne = await session.run({ text: one });
  const { sourceNext, ...map } = await session.attributionPatching({ text: one, source: other });
  expect(sourceNext[0]!.id).toBe(ofOne.next[0]!.id);
  const likely = [...new Set([...ofOne.next, ...sourceNext].map(({ id }) => id))];
  // Change of each logit minus that of the first token; the change of a logit difference is the difference of two.
  const moved = [0];
  for (const token of likely.slice(1)) {
    const against = { token, minus: likely[0]! };
    const { unpatched, source } = await session.attributionPatching({ text: one, source: other, ...against });
    moved.push(unpatched - source);
  }
  expect(map.unpatched - map.source).toBeCloseTo(Math.max(...moved) - Math.min(...moved), 4);
  expect(map.unpatched - map.source).toBeGreaterThan(1);
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

test.each<[string, (options?: CallOptions) => Promise<unknown>]>([
  ["forward", (options) => session.run({ text }, options)],
  [
    "backward",
    (options) => session.attributionPatching({ text: "The cat", source: "The dog", token: 5 }, options),
  ],
])("a call can be cancelled at any tensor of a %s pass, and the next call succeeds", async (_, ask) => {
  await ask(); // fills the cache of the session
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
});

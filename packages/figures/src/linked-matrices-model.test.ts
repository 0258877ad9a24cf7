import { attention, causal, tracedAttention, type Mask } from "@qkv/attention";
import { randn, reshape, slice, softmax, tensor, type Tensor } from "@qkv/tensor";
import { linkedMatrices } from "@qkv/viz/figures/linked-matrices";
import { describe, expect, test } from "vitest";
import { weightsFromText, bytesOfWeights } from "./half-weights.js";
import { linkedMatricesExample, linkedMatricesModel, type AttentionTrace } from "./linked-matrices-model.js";
import { answersTo, bert, gpt, wordId, gapTexts } from "./linked-matrices/animal-sounds.js";
import { bertWeights, gptWeights } from "./linked-matrices/weights.js";

const numbers = (x: Tensor) => Array.from(x.data, Number);
const close = (a: ArrayLike<number>, b: ArrayLike<number>, digits = 5) => {
  expect(a.length).toBe(b.length);
  Array.from(b).forEach((value, i) => expect(a[i]).toBeCloseTo(value, digits));
};

/** The forward pass of one of the two models, with its traced tensors. */
function tracedPass(id: string, text: string) {
  const ids = tensor([text.split(" ").map(wordId)], { dtype: "int32" });
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["dots", "scores", "weights", "heads"] as const, tensors };
  if (id === "bert") {
    const params = weightsFromText(bert().init(0), bertWeights);
    const rows = bert().apply(params, ids, { trace });
    return { tensors, logits: bert().maskedTokenLogits(params, rows) };
  }
  return { tensors, logits: gpt().apply(weightsFromText(gpt().init(0), gptWeights), ids, { trace }) };
}

describe.each(gapTexts)("%s", (text) => {
  test("dots, scores, weights and output of both models are those of their forward passes", async () => {
    const { models, tokens } = await linkedMatricesExample({ text });
    const T = tokens.length;
    for (const { id, layers } of models) {
      const { tensors } = tracedPass(id, text);
      layers.forEach((heads, layer) =>
        heads.forEach((head, h) => {
          const own = (name: string) =>
            numbers(slice(tensors[`layers.${layer}.attention.${name}`]!, 1, h, h + 1));
          close(head.weights.data, own("weights"));
          close(head.output.data, own("heads"));
          const masked = own("scores");
          expect(Array.from(head.seen.data)).toEqual(masked.map((score) => (score === -Infinity ? 0 : 1)));
          masked.forEach((score, i) => {
            if (score !== -Infinity) expect(head.scores.data[i]).toBeCloseTo(score, 4);
          });
          for (let i = 0; i < T * T; i++)
            expect(head.dots.data[i]! * head.scale).toBeCloseTo(head.scores.data[i]!, 5);
        }),
      );
    }
  });

  test("BERT sees both sides and fills the gap right; GPT sees nothing later", async () => {
    const { models, tokens, row } = await linkedMatricesExample({ text });
    const gap = tokens.indexOf("?");
    expect(row).toBe(gap);
    const right = answersTo(text).find((word) =>
      ["cat meows", "dog barks", "cow moos", "bird sings"].some((pair) =>
        text.replace("?", word).includes(pair),
      ),
    )!;
    const probability = (id: string, place: number) => {
      const { logits } = tracedPass(id, text);
      return Number(softmax(logits, { axis: 2 }).data[place * logits.shape[2]! + wordId(right)]);
    };
    expect(models[0]!.note).toBe(
      `fills the gap with “${right}”, ${Math.round(100 * probability("bert", gap))}%`,
    );
    expect(probability("bert", gap)).toBeGreaterThan(0.9);
    // The clue is after the gap, or before it.
    if (gap === 1) expect(probability("gpt", gap - 1)).toBeLessThan(0.5);
    else expect(probability("gpt", gap - 1)).toBeGreaterThan(0.9);
    const seen = (model: number) => Array.from(models[model]!.layers[0]![0]!.seen.data);
    expect(seen(0)).toEqual(Array.from({ length: 16 }, () => 1));
    expect(seen(1)).toEqual(Array.from({ length: 16 }, (_, i) => Number(i % 4 <= Math.floor(i / 4))));
  });
});

test("the initial head attends to the next word", async () => {
  const { models } = await linkedMatricesExample();
  const { weights } = models[0]!.layers[0]![linkedMatrices.initial.head]!;
  for (let t = 0; t < 3; t++) expect(weights.data[t * 4 + t + 1]).toBeGreaterThan(0.9);
});

test("weights are read as they were written", () => {
  const written = (params: unknown) => Buffer.from(bytesOfWeights(params)).toString("base64");
  expect(written(weightsFromText(bert().init(0), bertWeights))).toBe(bertWeights);
  expect(written(weightsFromText(gpt().init(0), gptWeights))).toBe(gptWeights);
});

/** A traced attention call on random tensors, with 4 query heads and 2 KV heads. */
function randomTrace(mask?: Mask, change: Partial<AttentionTrace> = {}): AttentionTrace {
  const query = randn([2, 4, 3, 8], { seed: 1 });
  const [key, value] = [randn([2, 2, 5, 8], { seed: 2 }), randn([2, 2, 5, 8], { seed: 3 })];
  const { output, scores, weights } = tracedAttention(query, key, value, mask ? { mask } : {}, [
    "scores",
    "weights",
  ]);
  return { query, key, value, output, scores, weights, ...change };
}
const names = { tokens: ["x", "y", "z"], keyTokens: ["a", "b", "c", "d", "e"] };
const oneLayerModel = (layer: AttentionTrace) =>
  linkedMatricesModel({ ...names, models: [{ id: "own", name: "Own", layers: [layer] }] });

test("any traced attention: grouped KV heads, more keys than queries, a mask", async () => {
  const trace = randomTrace(causal());
  const { models } = await oneLayerModel(trace);
  const [{ layers, batchSize, numKvHeads }] = models as [(typeof models)[0]];
  expect([batchSize, numKvHeads, layers[0]!.length]).toEqual([2, 2, 4]);
  const own = attention(trace.query, trace.key, trace.value, { mask: causal() });
  layers[0]!.forEach((head, h) => {
    const part = (x: Tensor, head: number) =>
      numbers(reshape(slice(slice(x, 0, 0, 1), 1, head, head + 1), [-1]));
    close(head.query.data, part(trace.query, h));
    close(head.key.data, part(trace.key, h >> 1));
    close(head.output.data, part(own, h));
    close(head.weights.data, part(trace.weights, h));
  });
  // Keys of the past: the first query sees three of five.
  expect(Array.from(layers[0]![0]!.seen.data).slice(0, 5)).toEqual([1, 1, 1, 0, 0]);
});

test.each([
  [
    "scores with a bias",
    { scores: randn([2, 4, 3, 5], { seed: 9 }) },
    /`scores of head 0 of layer 0 of Own`.*differ/,
  ],
  [
    "weights of another call",
    { weights: softmax(randn([2, 4, 3, 5], { seed: 9 }), { axis: 3 }) },
    /`weights of head 0/,
  ],
  ["another output", { output: randn([2, 4, 3, 8], { seed: 9 }) }, /`output of head 0/],
  ["another scale", { scale: 1 }, /`scores of head 0/],
  [
    "another shape",
    { value: randn([2, 2, 4, 8], { seed: 9 }) },
    /`value of layer 0 of Own` has shape \[2, 2, 4, 8\], expected \[2, 2, 5, 8\]/,
  ],
] as const)("%s is refused", async (_, change, message) => {
  await expect(oneLayerModel(randomTrace(undefined, change))).rejects.toThrow(message);
});

test("a trace without a model, with names too few, or too long is refused", async () => {
  const layers = [randomTrace()];
  const models = [{ id: "own", name: "Own", layers }];
  await expect(linkedMatricesModel({ ...names, models: [] })).rejects.toThrow(/trace.models/);
  await expect(
    linkedMatricesModel({ ...names, models: [{ id: "own", name: "Own", layers: [] }] }),
  ).rejects.toThrow(/trace.models/);
  await expect(linkedMatricesModel({ ...names, tokens: ["x"], models })).rejects.toThrow(/query of layer 0/);
  await expect(linkedMatricesModel({ ...names, row: 3, models })).rejects.toThrow(/trace.row/);
  await expect(linkedMatricesModel({ ...names, rows: 1, models } as never)).rejects.toThrow(/rows/);
  const long = [1, 2, 3].map((seed) => randn([1, 1, 17, 4], { seed })) as [Tensor, Tensor, Tensor];
  const traced = tracedAttention(...long, {}, ["scores", "weights"]);
  const layer = { query: long[0], key: long[1], value: long[2], ...traced };
  const tokens = Array.from({ length: 17 }, String);
  await expect(
    linkedMatricesModel({ tokens, models: [{ id: "a", name: "A", layers: [layer] }] }),
  ).rejects.toThrow(/at most 16 queries and keys/);
});

test("a text that the figure does not offer is refused", async () => {
  await expect(linkedMatricesExample({ text: "a mouse squeaks" })).rejects.toThrow(
    /linkedMatricesExample: `text`/,
  );
});

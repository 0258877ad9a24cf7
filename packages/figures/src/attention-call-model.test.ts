import { attentionWeights, causal } from "@qkv/attention";
import { modelTiny } from "@qkv/model-tiny";
import { tensor } from "@qkv/tensor";
import { load, type Model } from "@qkv/transformer";
import { beforeAll, expect, test } from "vitest";
import { attentionCallExample, attentionCallModel } from "./attention-call-model.js";

let model: Model;
beforeAll(async () => {
  model = await load(await modelTiny());
});

test("the example: every product and sum is exact as printed", async () => {
  const { x, projections, query, key, value, dots } = await attentionCallExample();
  const printed = (data: ArrayLike<number>, digits: number) =>
    Array.from(data).forEach((each) =>
      expect(Math.abs(each - Number(each.toFixed(digits)))).toBeLessThan(1e-9),
    );
  for (const { data } of [x, ...Object.values(projections!), query, key, value]) printed(data, 1);
  printed(dots.data, 2);
});

test("the example: “sat” attends to “cat”, as @qkv/attention computes it", async () => {
  const { query, key, weights } = await attentionCallExample();
  const four = ({ data }: { data: ArrayLike<number> }) =>
    tensor(Array.from(data), { shape: [1, 1, 6, 4], dtype: "float64" });
  expect(weights.data).toEqual(Array.from(attentionWeights(four(query), four(key), { mask: causal() }).data));
  expect(weights.data[2 * 6 + 1]).toBeGreaterThan(0.8);
});

test.each([
  ["causal", (q: number, k: number) => k <= q],
  ["none", () => true],
  ["window", (q: number, k: number) => k <= q && k > q - 2],
] as const)("mask %s: what is seen, and weights of 0 elsewhere", async (mask, sees) => {
  const { seen, weights } = await attentionCallExample({ mask });
  for (let q = 0; q < 6; q++) {
    for (let k = 0; k < 6; k++) {
      expect(seen.data[q * 6 + k]).toBe(sees(q, k) ? 1 : 0);
      expect(weights.data[q * 6 + k]! > 0).toBe(sees(q, k));
    }
  }
});

test("temperature divides the scores", async () => {
  const [one, two] = [await attentionCallExample(), await attentionCallExample({ temperature: 2 })];
  expect(two.scores.data[13]).toBeCloseTo(one.scores.data[13]! / 2, 12);
});

test("the weights of every head are those of the forward pass of the small model", async () => {
  const text = "The cat sat on the mat.";
  const { numLayers, numHeads } = model.config;
  for (let head = 0; head < numLayers * numHeads; head++) {
    const call = await attentionCallModel(model, text, { head }); // compares, and throws if they differ
    expect(call.tokens.join("")).toBe(text);
    expect(call.weights.shape).toEqual([call.tokens.length, call.tokens.length]);
  }
});

test("of a longer text the last tokens are used, and an empty text has one token", async () => {
  const long = await attentionCallModel(model, "one two three four five six seven eight nine ten", {
    maxTokens: 4,
  });
  expect(long.tokens).toHaveLength(4);
  expect((await attentionCallModel(model, "")).tokens).toHaveLength(1);
});

test("a head that the model does not have is refused, with the fix", async () => {
  await expect(attentionCallModel(model, "cat", { head: 99 })).rejects.toThrow(
    /attentionCallModel: `head` is 99.*\nFix: count heads over all 4 layers, from 0/,
  );
});

test("a head whose recomputed weights differ from the trace is refused", async () => {
  const apply: Model["apply"] = (params, ids, options) => {
    const logits = model.apply(params, ids, options);
    const tensors = options?.trace?.tensors ?? {};
    for (const [name, each] of Object.entries(tensors)) {
      if (name.endsWith("weights"))
        tensors[name] = tensor(
          Array.from(each.data, () => 0.5),
          { shape: each.shape },
        );
    }
    return logits;
  };
  await expect(attentionCallModel({ ...model, apply }, "the cat")).rejects.toThrow(/differ by/);
});

test.each([
  [{ mask: "constructor" }, /`mask` is .*causal, none or window/],
  [{ temperature: 0 }, /`temperature` is 0/],
  [{ temprature: 1 }, /temprature/],
])("masks and temperatures that the figure does not offer are refused: %o", async (options, message) => {
  await expect(attentionCallExample(options as never)).rejects.toThrow(message);
  await expect(attentionCallModel(model, "cat", options as never)).rejects.toThrow(message);
});

test("a model that is no model and a text that is no text are refused", async () => {
  await expect(attentionCallModel({} as never, "cat")).rejects.toThrow(/`model`/);
  await expect(attentionCallModel(model, 7 as never)).rejects.toThrow(/`text`/);
});

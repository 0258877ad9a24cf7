import { attentionWeights, causal } from "@qkv/attention";
import { randn, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import { attentionStore, headWeights } from "./attention-store.js";
import { embeddingStore } from "./embedding-store.js";
import { resultStore } from "./result-store.js";

const made = decoder({
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 3, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 6, normEps: 1e-5, stopIds: [] },
});
const tokenizer = {
  encode: (text: string) => [...text].map(Number),
  decode: ([id]: readonly number[]) => `<${id}>`,
};
const model = { config: made.config, params: made.init(1), tokenizer, apply: made.apply };

test("the weights of a model on a text equal the traced weights of its layers, with the text of each token", async () => {
  const { status, result } = await attentionStore().run({ model, text: "3141" });
  const tensors: Record<string, Tensor> = {};
  made.apply(model.params, [3, 1, 4, 1], { trace: { names: ["weights"], tensors } });
  expect([status, result!.tokens, result!.weights.shape]).toEqual([
    ...["done", ["<3>", "<1>", "<4>", "<1>"], [3, 2, 4, 4]],
  ]);
  Object.values(tensors).forEach(({ data }, layer) => {
    for (const head of [0, 1]) {
      const { data: own, shape } = headWeights(result!.weights, layer, head);
      expect([own, shape]).toEqual([data.slice(head * 16, (head + 1) * 16), [4, 4]]);
    }
  });
  const { error: long } = await attentionStore().run({ model, text: [1, 2, 3, 4, 5, 6, 7, 8] });
  expect(String(long)).toMatch(
    /`text` is "8 tokens", expected 1 to 6, the context length of the model\.\nFix: give a shorter/,
  );
  const { error: empty } = await attentionStore().run({ model, text: [] });
  expect(String(empty)).toMatch(/`text` is "0 tokens".*\nFix: give a text that is not empty/s);
});

test("the weights of an attention call equal those of attentionWeights", async () => {
  const [query, key] = [randn([2, 4, 3, 8], { seed: 1 }), randn([2, 2, 5, 8], { seed: 2 })];
  const options = { mask: causal() };
  const { result } = await attentionStore().run({ query, key, options });
  const weights = attentionWeights(query, key, options);
  expect(result).toEqual({ tokens: [], weights: { data: weights.data, shape: [2, 4, 3, 5] } });
});

test.each<[string, object, RegExp]>([
  ["nothing", {}, /`subject` is .*expected \{ model, text \}/],
  [
    "a model of a worker",
    { model: { config: {} }, text: "1" },
    /\nFix: load it by `load` of @qkv\/transformer/,
  ],
  [
    "a text for no tokenizer",
    { model: { ...model, tokenizer: undefined }, text: "1" },
    /the model has no tokenizer/,
  ],
])("%s: the error is in the state", async (_, subject, message) => {
  const { status, error } = await attentionStore().run(subject as never);
  expect([status, String(error)]).toEqual(["error", expect.stringMatching(message)]);
});

test("a head that does not exist is refused", () => {
  const weights = { data: new Float32Array(8), shape: [1, 2, 2, 2] };
  expect(() => headWeights(weights, 1, 0)).toThrow(/`layer` is 1/);
  expect(() => headWeights(weights, 0, 2)).toThrow(/`head` is 2/);
  expect(() => headWeights({ data: new Float32Array(4), shape: [2, 2] }, 0, 0)).toThrow(
    /weights \[L, H, T, S\]/,
  );
});

test("embeddings come from the runtime, which gets the options and a signal", async () => {
  const calls: unknown[][] = [];
  const runtime = {
    load: async () => ({}),
    embed: async (
      model: object,
      texts: readonly string[],
      options?: { pooling?: string; signal?: AbortSignal },
    ) => {
      calls.push([model, texts, options]);
      return texts.map(() => [1]);
    },
  };
  const store = embeddingStore({ runtime });
  const own = {};
  expect(await store.run(own, ["a", "b"], { pooling: "cls" })).toEqual({
    ...{ status: "done", result: [[1], [1]], error: undefined },
  });
  expect(calls).toEqual([[own, ["a", "b"], { pooling: "cls", signal: expect.any(AbortSignal) }]]);
  expect(() => embeddingStore({ runtime: { load: async () => ({}) } })).toThrow(/with `embed`/);
});

test("a result is kept until the next one is available; of two calls in a row, only the second is computed", async () => {
  const computed: number[] = [];
  const signals: AbortSignal[] = [];
  let finish: (value: string) => void = () => undefined;
  const store = resultStore((signal, n: number) => {
    computed.push(n);
    signals.push(signal);
    return new Promise<string>((resolve) => (finish = resolve));
  });
  void store.run(1);
  const second = store.run(2);
  await Promise.resolve();
  expect([computed, store.getSnapshot().status]).toEqual([[2], "running"]);
  finish("two");
  expect(await second).toEqual({ status: "done", result: "two", error: undefined });
  const third = store.run(3);
  await Promise.resolve();
  expect(store.getSnapshot()).toEqual({ status: "running", result: "two", error: undefined });
  store.stop();
  finish("three");
  expect([await third, signals[1]!.aborted]).toEqual([
    { status: "done", result: "two", error: undefined },
    true,
  ]);
  // Without subscribers, the computation is stopped too.
  void store.run(4);
  const unsubscribe = store.subscribe(() => undefined);
  await Promise.resolve();
  unsubscribe();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(signals[2]!.aborted).toBe(true);
});

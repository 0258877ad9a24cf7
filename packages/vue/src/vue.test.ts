import { effectScope, nextTick, ref, type EffectScope } from "vue";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useAttention, useEmbedding, useGenerate, useModel, useStore } from "./index.js";

/** A runtime whose loads and tokens the test resolves by hand. */
function manualRuntime() {
  const loads: { source: string; signal: AbortSignal; resolve: (model: object) => void }[] = [];
  const words: { signal: AbortSignal; give: (text: string | undefined) => void }[] = [];
  const embeds: (readonly string[])[] = [];
  return {
    loads,
    words,
    embeds,
    load: (source: string, options: { signal?: AbortSignal } = {}) =>
      new Promise<object>((resolve) => loads.push({ source, signal: options.signal!, resolve })),
    async *generate(_: object, __: string, options: { signal?: AbortSignal } = {}) {
      for (;;) {
        const text = await new Promise<string | undefined>((give) =>
          words.push({ signal: options.signal!, give }),
        );
        if (text === undefined) return;
        yield { text };
      }
    },
    async embed(_: object, texts: readonly string[], __: { pooling?: string; signal?: AbortSignal } = {}) {
      embeds.push(texts);
      return texts.map((text) => [text.length]);
    },
  };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 10));

let scope: EffectScope;
let runtime: ReturnType<typeof manualRuntime>;
beforeEach(() => {
  scope = effectScope();
  runtime = manualRuntime();
});
afterEach(() => scope.stop());

test("a getter of a promise is called once, and a source function is shared", async () => {
  let calls = 0;
  const later = async () => {
    calls += 1;
    return "a";
  };
  const model = scope.run(() => useModel(later, { runtime }))!;
  await settled();
  expect([calls, model.value.status, runtime.loads.map(({ source }) => source)]).toEqual([
    1,
    "loading",
    ["a"],
  ]);
  scope.run(() => [useModel(() => later, { runtime }), useModel(() => later, { runtime })]);
  await settled();
  expect([calls, runtime.loads.length]).toEqual([2, 2]);
});

test("a model is loaded once for all users, follows its source, and is disposed at the end", async () => {
  const source = ref<string | null>("a");
  const [one, two] = scope.run(() => [useModel(source, { runtime }), useModel(() => "a", { runtime })])!;
  expect([one!.value.status, runtime.loads.length]).toEqual(["loading", 1]);
  let disposed = 0;
  runtime.loads[0]!.resolve({ dispose: () => (disposed += 1) });
  await settled();
  expect([one!.value.status, one!.value.model]).toEqual(["ready", two!.value.model]);
  source.value = "b";
  await nextTick();
  await settled();
  expect([one!.value.status, two!.value.status, disposed]).toEqual(["loading", "ready", 0]);
  source.value = null;
  await settled();
  expect([one!.value.status, runtime.loads[1]!.signal.aborted]).toEqual(["idle", true]);
  scope.stop();
  await settled();
  expect(disposed).toBe(1);
});

test("the text of a generation grows, and the end of the scope stops it", async () => {
  const model = ref<object>();
  const { state, generate, stop } = scope.run(() => useGenerate(model, { runtime }))!;
  expect(await generate("once")).toBeUndefined();
  model.value = {};
  void generate("once");
  await settled();
  runtime.words[0]!.give("a");
  await settled();
  runtime.words[1]!.give("b");
  await settled();
  expect(state.value).toMatchObject({ status: "running", text: "ab" });
  stop();
  expect(state.value).toMatchObject({ status: "stopped", text: "ab" });
  void generate("once");
  await settled();
  scope.stop();
  await settled();
  expect(runtime.words.at(-1)!.signal.aborted).toBe(true);
});

test("embeddings follow the texts, also those of a list that grows in place", async () => {
  const texts = ref(["a"]);
  const state = scope.run(() => useEmbedding(() => ({}), texts, { runtime }))!;
  await settled();
  expect(state.value.result).toEqual([[1]]);
  texts.value.push("bcd");
  await settled();
  expect(state.value.result).toEqual([[1], [3]]);
  expect(runtime.embeds).toEqual([["a"], ["a", "bcd"]]);
});

test("a pending embedding is aborted when its model becomes undefined", async () => {
  const signals: AbortSignal[] = [];
  const pending = {
    ...runtime,
    embed(_: object, __: readonly string[], { signal }: { signal?: AbortSignal } = {}) {
      signals.push(signal!);
      return new Promise<number[][]>(() => undefined);
    },
  };
  const model = ref<object | undefined>({});
  const state = scope.run(() => useEmbedding(model, ["a"], { runtime: pending }))!;
  await settled();
  expect([state.value.status, signals.map(({ aborted }) => aborted)]).toEqual(["running", [false]]);
  model.value = undefined;
  await settled();
  expect([signals.length, signals[0]!.aborted]).toEqual([1, true]);
});

test("attention follows the text, and waits for a model", async () => {
  const { decoder } = await import("@qkv/transformer");
  const made = decoder({
    ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 8, normEps: 1e-5, stopIds: [] },
  });
  const own = { config: made.config, params: made.init(1), tokenizer: undefined, apply: made.apply };
  const [model, text] = [ref<object>(), ref([1, 2])];
  const state = scope.run(() => useAttention(() => model.value && own, text))!;
  await settled();
  expect(state.value.status).toBe("idle");
  model.value = {};
  await settled();
  expect(state.value.result!.weights.shape).toEqual([2, 2, 2, 2]);
  text.value = [1, 2, 3];
  await settled();
  expect(state.value.result!.weights.shape).toEqual([2, 2, 3, 3]);
});

test("on a server no store is subscribed to, as components do not mount there", async () => {
  const { createSSRApp, defineComponent, h } = await import("vue");
  const { renderToString } = await import("vue/server-renderer");
  let readers = 0;
  const store = {
    getSnapshot: () => "first",
    subscribe() {
      readers += 1;
      return () => undefined;
    },
  };
  const Shown = defineComponent({
    setup() {
      const value = useStore(store);
      return () => h("p", value.value);
    },
  });
  expect([await renderToString(createSSRApp(Shown)), readers]).toEqual(["<p>first</p>", 0]);
});

import { tinyCheckpoint } from "@qkv/test-support/tiny-checkpoint";
import { js } from "@qkv/tensor";
import { bertTokenizer } from "@qkv/tokenizer";
import { encoder, generate, load, meanPooling, unitLength, type Model } from "@qkv/transformer";
import { expect, test } from "vitest";
import { loadingStore } from "./loading-store.js";
import { mainThread } from "./runtime.js";

const sizes = { dim: 32, hidden_dim: 32, n_heads: 2 };
const checkpoint = tinyCheckpoint(sizes, (n) => Math.sin(n * n));

test("mainThread loads and generates like @qkv/transformer, on a device that is opened when it is needed", async () => {
  const device = js();
  const model = (await mainThread.load(checkpoint, { device: async () => device })) as Model;
  expect(model.params.embedding.weight.device).toBe(device);
  const own = await load(checkpoint);
  const [ids, expected]: [number[], number[]] = [[], []];
  for await (const { id } of mainThread.generate(model, [1], { maxTokens: 4 })) ids.push(id);
  for await (const { id } of generate(own, [1], { maxTokens: 4 })) expected.push(id);
  expect(ids).toEqual(expected);
  const quantized = (await mainThread.load(checkpoint, { quantize: "int8", device })) as Model;
  expect(quantized.quantization!.bytesAfter).toBeLessThan(quantized.quantization!.bytesBefore);
  await expect(mainThread.embed(model, ["a"])).rejects.toThrow(/^embed: `model` is "a decoder"/);
});

test("a device that was opened for a model is closed with it or when loading fails; a given device stays open", async () => {
  const closed: string[] = [];
  const opened = (name: string) => ({ ...js(), close: () => void closed.push(name) });
  const store = loadingStore(checkpoint, { device: () => opened("with the model") });
  await store.load();
  expect(closed).toEqual([]);
  store.dispose();
  expect(closed).toEqual(["with the model"]);
  const wrong = mainThread.load(new Uint8Array(3), { device: () => opened("with the error") });
  await expect(wrong).rejects.toThrow();
  const given = loadingStore(checkpoint, { device: opened("given") });
  await given.load();
  given.dispose();
  expect(closed).toEqual(["with the model", "with the error"]);
});

test("mainThread embeds texts with an encoder as vectors of unit norm, until a signal aborts", async () => {
  const tokenizer = bertTokenizer(
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog"].join("\n"),
  );
  const { config, init, apply, maskedTokenLogits } = encoder({
    ...{ vocabSize: 8, embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2 },
    ...{ contextLength: 8, numTypes: 2, normEps: 1e-12 },
  });
  const model = { config, params: init(2), tokenizer, apply, maskedTokenLogits };
  const vectors = await mainThread.embed(model, ["a cat", "dog"]);
  const rows = ["a cat", "dog"].map((text) => apply(model.params, tokenizer.encode(text)));
  expect(vectors).toEqual(rows.map((x) => unitLength(meanPooling(x)).data));
  const [last] = await mainThread.embed(model, ["dog"], { pooling: "last" });
  const { data } = rows[1]!;
  const length = Math.hypot(...data.slice(16, 24));
  last!.forEach((value, i) => expect(value).toBeCloseTo(data[16 + i]! / length, 5));
  const controller = new AbortController();
  const aborted = mainThread.embed(model, ["a", "a"], { signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  await expect(mainThread.embed(model, ["a"], { pool: "cls" } as never)).rejects.toThrow(
    /\nFix: write `pooling`/,
  );
});

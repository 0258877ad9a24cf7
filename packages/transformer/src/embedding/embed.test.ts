import { ArgumentError } from "@qkv/core";
import { slice, tensor, type Tensor } from "@qkv/tensor";
import { loadTokenizer } from "@qkv/tokenizer";
import { expect, test } from "vitest";
import { embed } from "./embed.js";
import { decoder } from "../models/decoder.js";
import { encoder } from "../models/encoder.js";
import type { EncoderModel, Model } from "../models/model.js";
import { normalizeModule } from "./modules/normalize.js";
import { poolingModule } from "./modules/pooling.js";
import type { SentenceModule } from "../models/sentence-config.js";
import { sentenceEmbedding } from "./sentence-embedding.js";

const contextLength = 4;
const { config, init, apply, maskedTokenLogits } = encoder({
  ...{ vocabSize: 10, embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2, contextLength },
  ...{ numTypes: 0, normEps: 1e-12 },
});
const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
const digits = Array.from({ length: 10 }, (_, i) => String(i));
/** A tokenizer of digits: the id of a digit is its value. */
const tokenizer = loadTokenizer({
  "tokenizer.json": json({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "Split", pattern: { Regex: "" }, behavior: "Isolated", invert: false },
    post_processor: null,
    decoder: null,
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(digits.map((digit, id) => [digit, id])),
      unk_token: "0",
    },
  }),
});
const model: EncoderModel = { config, params: init(1), tokenizer, apply, maskedTokenLogits };

/** Rows of the encoder, pooled and scaled to norm 1 in float64. */
function pooledByHand(ids: number[], pool: (rows: number[][]) => number[]): number[] {
  const [rows] = apply(model.params, tensor([ids], { dtype: "int32" })).toNested() as number[][][];
  const pooled = pool(rows!);
  const norm = Math.hypot(...pooled);
  return pooled.map((value) => value / norm);
}

test("embeddings equal rows that are pooled in the test and scaled to norm 1", async () => {
  const pools = {
    mean: (rows: number[][]) =>
      rows[0]!.map((_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / rows.length),
    cls: (rows: number[][]) => rows[0]!,
    last: (rows: number[][]) => rows.at(-1)!,
  };
  for (const [pooling, pool] of Object.entries(pools) as ["mean" | "cls" | "last", typeof pools.mean][]) {
    const [embedding] = await embed(model, ["314"], { pooling });
    const expected = pooledByHand([3, 1, 4], pool);
    for (const [c, value] of expected.entries()) expect(embedding![c]).toBeCloseTo(value, 5);
    expect(embedding).toHaveLength(8);
  }
  expect(await embed(model, ["314"])).toEqual(await embed(model, ["314"], { pooling: "mean" }));
});

test("texts are embedded separately and in order, and truncated to the context length", async () => {
  const embeddings = await embed(model, ["31", "4159", "41592653"]);
  expect(embeddings).toEqual(
    (await Promise.all(["31", "4159", "4159"].map((text) => embed(model, [text])))).flat(),
  );
  expect(embeddings[0]).not.toEqual(embeddings[1]);
});

test("a decoder, a missing tokenizer, and invalid texts and options are refused", async () => {
  await expect(embed(decoderModel, ["1"])).rejects.toThrow(/`model` is "a decoder", expected an encoder, or/);
  await expect(embed({ ...model, tokenizer: undefined }, ["1"])).rejects.toThrow(
    /without a tokenizer.*\nFix: load/,
  );
  await expect(embed(model, [1] as never)).rejects.toBeInstanceOf(ArgumentError);
  await expect(embed(model, ["1"], { pooling: "max" as never })).rejects.toThrow(
    /`pooling` is "max", expected "mean"/,
  );
  await expect(embed(model, ["1"], { signal: AbortSignal.abort("no") })).rejects.toBe("no");
});

const causal = decoder({
  ...{ vocabSize: 10, embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2, numKvHeads: 1, contextLength },
  ...{ normEps: 1e-6, stopIds: [] },
});
const decoderModel: Model = { config: causal.config, params: causal.init(1), tokenizer, apply: causal.apply };

const expectedEmbeddings = (modules: SentenceModule[], rows: Tensor) =>
  sentenceEmbedding(modules, rows).toNested() as number[][];

test("the modules and prompts of a model are applied, unless the call has others", async () => {
  const modules = [poolingModule(["max"], { includePrompt: false })];
  const withPrompts = { ...model, sentence: { modules, prompts: { query: "98" }, defaultPrompt: "query" } };
  const rows = apply(model.params, [9, 8, 3, 1]);
  const [expected] = expectedEmbeddings([poolingModule(["max"])], slice(rows, 1, 2));
  const [vector] = await embed(withPrompts, ["31"]);
  expect(Array.from(vector!)).toEqual(expected);
  expect(await embed(withPrompts, ["31"], { promptName: "query" })).toEqual([vector]);
  expect(await embed(withPrompts, ["31"], { prompt: "98" })).toEqual([vector]);
  expect(await embed(withPrompts, ["31"], { prompt: "" })).not.toEqual([vector]);
  expect(await embed(withPrompts, ["31"], { prompt: "", pooling: "mean" })).toEqual(
    await embed(model, ["31"]),
  );
  await expect(embed(withPrompts, ["31"], { promptName: "document" })).rejects.toThrow(
    /`promptName` is "document", expected a prompt of the model: query/,
  );
  await expect(embed(model, ["31"], { promptName: "query" })).rejects.toThrow(/the model has no prompts/);
});

test("texts are lowercased and truncated to `maxTokens` if the sentence configuration has these fields", async () => {
  const modules = [poolingModule(["lasttoken"])];
  const short = { ...model, sentence: { modules, prompts: {}, maxTokens: 2, lowerCase: true } };
  expect(await embed(short, ["314"])).toEqual(await embed(short, ["31"]));
  expect(await embed(short, ["314"])).not.toEqual(await embed(short, ["34"]));
});

test("the embedding of a decoder pools the rows after its final norm", async () => {
  const modules = [poolingModule(["lasttoken"]), normalizeModule()];
  const [vector] = await embed({ ...decoderModel, sentence: { modules, prompts: {} } }, ["314"]);
  const rows = causal.apply(decoderModel.params, [3, 1, 4], { output: "rows" });
  expect(rows.shape).toEqual([1, 3, 8]);
  expect(Array.from(vector!)).toEqual(expectedEmbeddings(modules, rows)[0]);
  expect(await embed(decoderModel, ["314"], { pooling: "last" })).toEqual([vector]);
});

test("`dimensions` truncates vectors and scales them to norm 1", async () => {
  const [full] = await embed(model, ["314"]);
  const [first] = await embed(model, ["314"], { dimensions: 3 });
  const norm = Math.hypot(...full!.subarray(0, 3));
  expect(first).toHaveLength(3);
  for (const [i, value] of first!.entries()) expect(value).toBeCloseTo(full![i]! / norm, 6);
  await expect(embed(model, ["314"], { dimensions: 9 })).rejects.toThrow(/`dimensions` is 9, expected .*8/);
});

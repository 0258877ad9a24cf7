import { checks } from "@qkv/core";
import { nameListOf, namesInReference } from "@qkv/test-support/name-list";
import { loadTokenizer } from "@qkv/tokenizer";
import { expect, test } from "vitest";
import { readGguf } from "./checkpoints/gguf/read-gguf.js";
import { readCheckpoint } from "./checkpoints/hugging-face/read-checkpoint.js";
import { knownCheckpoints } from "./checkpoints/known-checkpoints.js";
import { embed } from "./embedding/embed.js";
import { exportModel } from "./exporting/export-model.js";
import { memoryFolder } from "./exporting/memory-folder.js";
import { attentionNames, checkTrace, layerNames } from "./layers/trace.js";
import { blockTypes } from "./loading/gguf-blocks.js";
import { encoder } from "./models/encoder.js";
import { encoderDecoder, type EncoderDecoderConfig } from "./models/encoder-decoder.js";
import { pipeline, tasks } from "./pipeline/pipeline.js";
import { transcribe } from "./speech/transcribe.js";

const here = (path: string) => new URL(path, import.meta.url);
const countOf = (format: string) => knownCheckpoints().filter((each) => each.format === format).length;
const command = "`qkv checkpoints`";

const sizes = { vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2, contextLength: 16 };
const mixedTraits: EncoderDecoderConfig = {
  ...sizes,
  ...{ startIds: [2], stopIds: [2], positions: "rotary" },
};

const network = encoder({ ...sizes, numTypes: 0, normEps: 1e-12 });
const vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
const tokenizer = loadTokenizer({ "vocab.txt": new TextEncoder().encode(vocabulary) });
const prompts = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`task${i}`, "x: "]));
const embedder = {
  ...{ config: network.config, params: network.init(1), apply: network.apply },
  ...{
    kind: "encoder",
    tokenizer,
    sentence: { modules: [], prompts: { ...prompts, query: "q: " } },
  },
};

const languages = Object.fromEntries("de en es fr it ja ko nl pt zh".split(" ").map((name, i) => [name, i]));
const speechModel = {
  kind: "speech",
  features: { sampleRate: 16000, apply: () => {} },
  speech: { languages },
};

const trace = { names: ["attentionOut"], tensors: {} } as never;

test.each<[string, () => unknown, shown: readonly string[], count: number, list: string]>([
  [
    "model_type",
    () => readCheckpoint({ model_type: "lama" }, { name: "config.json", fn: "load" }, {} as never),
    ["llama", "diffllama", "llama4_text"],
    countOf("config.json"),
    command,
  ],
  [
    "architecture of a GGUF file",
    () =>
      readGguf(
        new Map([["general.architecture", "qwen33"]]),
        { name: "a.gguf", fn: "load" } as never,
        () => ({}) as never,
      ),
    ["qwen3", "qwen35", "qwen2"],
    countOf("gguf"),
    command,
  ],
  [
    "encoder–decoder to export",
    () =>
      exportModel(
        { config: mixedTraits, params: encoderDecoder(mixedTraits).init(1) },
        { to: "hf", out: memoryFolder() },
      ),
    ["bart", "plbart", "mbart"],
    10,
    command,
  ],
  [
    "task",
    () => pipeline("summarisation" as never, "model"),
    ["summarization"],
    tasks.length,
    "the reference of `pipeline`",
  ],
  [
    "traced tensor",
    () => checkTrace(checks("apply"), trace, { recurrent: [false] }),
    ["attentionOutput", "attentionInput"],
    18,
    "the reference of `ModelTrace`",
  ],
  [
    "prompt",
    () => embed(embedder as never, ["a"], { promptName: "queries" }),
    ["query"],
    10,
    "`config_sentence_transformers.json`",
  ],
  [
    "language",
    () => transcribe(speechModel as never, new Float32Array(16000), { language: "jp" }),
    ["ja"],
    10,
    "`languages` of the model's `speech`",
  ],
])("the error about an unknown %s shows the nearest", async (_, call, shown, count, list) => {
  expect(await nameListOf(call)).toEqual({ shown, count, list });
});

test.each<[string, URL, readonly string[]]>([
  ["load", here("load.ts"), Object.values(blockTypes).map(({ name }) => name)],
  ["pipeline", here("pipeline/pipeline.ts"), tasks],
  ["ModelTrace", here("layers/trace.ts"), ["embeddings", ...layerNames, ...attentionNames]],
])("the reference of %s has all names that errors say it lists", (name, file, names) => {
  expect([...namesInReference(file, name)]).toEqual(expect.arrayContaining([...names]));
});

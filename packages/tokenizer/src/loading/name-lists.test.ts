import { nameListOf, namesInReference } from "@qkv/test-support/name-list";
import { expect, test } from "vitest";
import { ggufSplitNames } from "./gguf-splits.js";
import { ggufTokenizer } from "./gguf.js";
import { tokenizerFromJson } from "./tokenizer-json/tokenizer-json.js";

const model = { type: "WordLevel", vocab: { a: 0 } };
const stages = ["normalizer", "pre_tokenizer", "decoder"] as const;
const withStep = (stage: (typeof stages)[number], type: string) => () =>
  tokenizerFromJson({ model, [stage]: { type } });

test.each([
  ["normalizer", "Lowercased", ["Lowercase"], 14],
  ["pre_tokenizer", "WhiteSpaceSplit", ["WhitespaceSplit", "Whitespace", "Split"], 11],
  ["decoder", "MetaSpaces", ["Metaspace"], 10],
] as const)("%s: the error about an unknown type shows the nearest", async (stage, type, shown, count) => {
  const list = "the reference of `tokenizerFromJson`";
  expect(await nameListOf(withStep(stage, type))).toEqual({ shown, count, list });
});

test("the reference of tokenizerFromJson lists every step that is read", async () => {
  const file = new URL("tokenizer-json/tokenizer-json.ts", import.meta.url);
  const listed = [...namesInReference(file, "tokenizerFromJson")];
  for (const stage of stages) {
    const { count } = await nameListOf(withStep(stage, "X"));
    const readers = listed.filter((type) => {
      try {
        withStep(stage, type)();
        return true;
      } catch (error) {
        return !(error as Error).message.includes("Fix: qkv does not implement");
      }
    });
    expect(readers, stage).toHaveLength(count);
  }
});

test("the error about an unknown pre-tokenizer of a GGUF file shows the nearest, and the reference of ggufTokenizer lists all", async () => {
  const metadata = new Map<string, string | string[]>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.tokens", ["a"]],
    ["tokenizer.ggml.pre", "deepseek-v4"],
  ]);
  const call = () => ggufTokenizer({ version: 3, metadata, tensors: [], dataStart: 0 });
  expect(await nameListOf(call)).toEqual({
    shown: ["deepseek-v3", "deepseek-llm", "deepseek-coder"],
    count: ggufSplitNames().length,
    list: "the reference of `ggufTokenizer`",
  });
  const listed = namesInReference(new URL("gguf.ts", import.meta.url), "ggufTokenizer");
  expect([...listed]).toEqual(expect.arrayContaining([...ggufSplitNames()]));
});

/// <reference types="node" />
import type { GgufHeader, GgufValue } from "@qkv/core";
import { describe, expect, test } from "vitest";
import { referenceData } from "../../../../conformance/reference-data.mjs";
import { bytesToUnicode } from "../bytes-to-unicode.js";
import { pieces } from "@qkv/test-support/split-property";
import { splitFromPattern } from "../pre-tokenizers/known-splits.js";
import { ggufSplit, ggufSplitNames } from "./gguf-splits.js";
import { ggufTokenizer } from "./gguf.js";

const header = (entries: Record<string, GgufValue>): GgufHeader => ({
  version: 3,
  metadata: new Map(Object.entries(entries).map(([name, value]) => [`tokenizer.ggml.${name}`, value])),
  tensors: [],
  dataStart: 0,
});

/** The pieces that all patterns of a name, one after the other, leave. */
function cut(pre: string, text: string): string[] {
  const { patterns } = ggufSplit(pre)!;
  return patterns.reduce(
    (now, pattern) => now.flatMap((piece) => pieces(splitFromPattern(pattern, { dialect: "rust" }), piece)),
    [text],
  );
}

test("all known names have patterns that compile, and their pre-tokens cover the text", () => {
  const text = "Hello, I'LL pay 12345.67 €!\n\n  漢字かな 가나 foo_bar  é́ \t x\r\n";
  expect(ggufSplitNames().length).toBeGreaterThan(80);
  for (const name of ggufSplitNames()) {
    const joined = name === "whitespace" ? text : cut(name, text).join("");
    expect(joined, name).toBe(text);
  }
});

test.each([
  ["starcoder", "a 123", ["a", " ", "1", "2", "3"]],
  ["falcon", "ab, 1234", ["ab", ",", " ", "123", "4"]],
  ["deepseek-coder", "a1b\n c", ["a", "1", "b", "\n", " c"]],
  ["deepseek-v3", "a1234漢字", ["a", "123", "4", "漢字"]],
  ["deepseek-llm", "βγ1  ", ["βγ", "1", "  "]],
  ["llama-bpe", "I'LL 1234", ["I", "'LL", " ", "123", "4"]],
  ["qwen2", "12", ["1", "2"]],
  ["gpt-4o", "fooBar's", ["foo", "Bar's"]],
  ["tekken", "fooBar's 12", ["foo", "Bar", "'s", " ", "1", "2"]],
  ["tiny_aya", "1234567", ["1", "234", "567"]],
  ["superbpe", "1234567 a", ["1", "234", "567", " a"]],
  ["kimi-k2", "漢字abc", ["漢字", "abc"]],
  ["bloom", "a, b", ["a", ",", " b"]],
  ["exaone-moe", "ab cd  e", ["ab cd", " ", " e"]],
])("%s splits text like the model's tokenizer", (pre, text, expected) => {
  expect(cut(pre, text)).toEqual(expected);
});

const bpe = {
  model: "gpt2",
  pre: "gpt-2",
  tokens: [...bytesToUnicode, "ab", "<|end|>"],
  merges: ["a b"],
  token_type: [...bytesToUnicode.map(() => 1), 1, 3],
  bos_token_id: 257,
};

test("golden: byte-level BPE, its special tokens, and the BOS token", () => {
  const tokenizer = ggufTokenizer(header(bpe));
  expect(tokenizer.encode("ab<|end|>")).toEqual([256, 257]);
  expect(tokenizer.encode("ab<|end|>", { specialTokens: "ordinary" })).not.toContain(257);
  expect(tokenizer.decode([256, 0x21])).toBe("ab!");
  expect([tokenizer.bosId, tokenizer.eosId]).toEqual([257, undefined]);
  expect(ggufTokenizer(header({ ...bpe, add_bos_token: true })).encode("ab")).toEqual([257, 256]);
  expect(ggufTokenizer(header({ ...bpe, pre: "llama-bpe" })).encode("ab")).toEqual([257, 256]);
});

test("golden: in a GGUF file, words of BERT's vocabulary begin with ▁", () => {
  const tokens = ["[UNK]", "[CLS]", "[SEP]", "▁play", "ing", "▁!", "▁"];
  const tokenizer = ggufTokenizer(
    header({ model: "bert", tokens, unknown_token_id: 0, cls_token_id: 1, seperator_token_id: 2 }),
  );
  expect(tokenizer.encode("PLAYING!")).toEqual([1, 3, 4, 5, 2]);
  expect(tokenizer.decode([1, 3, 4, 5, 2])).toBe("playing!");
  // [CLS] A [SEP] of type 0, then B [SEP] of type 1.
  const { ids, typeIds } = tokenizer.encoding("play", { pair: "playing" });
  expect([ids, typeIds]).toEqual([
    [1, 3, 2, 3, 4, 2],
    [0, 0, 0, 1, 1, 1],
  ]);
});

describe("refused, with the field named", () => {
  test.each<[string, Record<string, GgufValue>, RegExp]>([
    [
      "an unknown pre",
      { ...bpe, pre: "nobody" },
      /ggufTokenizer: `GGUF file: tokenizer.ggml.pre` is "nobody", expected a name .*\nFix: qkv does not implement `tokenizer\.ggml\.pre: "nobody"`\. Make the tokenizer from/,
    ],
    [
      "no pre",
      { ...bpe, pre: 0 },
      /tokenizer.ggml.pre` is 0, expected a text\.\nFix: download the file again, or make/,
    ],
    ["an inherited name", { ...bpe, pre: "toString" }, /tokenizer.ggml.pre` is "toString"/],
    [
      "an unknown model",
      { ...bpe, model: "rwkv" },
      /tokenizer.ggml.model` is "rwkv", expected llama, t5, bert, gpt2 or gemma4\.\nFix: qkv does not implement/,
    ],
    [
      "no tokens",
      { model: "gpt2", pre: "gpt-2" },
      /tokenizer.ggml.tokens` is undefined, expected a list of texts/,
    ],
    ["no merges", { ...bpe, merges: [] }, /tokenizer.ggml.merges` is \[\], expected a list of texts/],
    [
      "another number of types than tokens",
      { ...bpe, token_type: [1] },
      /token_type` is "1 numbers", expected 258, one per token/,
    ],
    ["a flag that is none", { ...bpe, add_bos_token: 1 }, /add_bos_token` is 1, expected true or false/],
  ])("%s", (_, entries, message) => {
    expect(() => ggufTokenizer(header(entries))).toThrow(message);
  });

  test("a merge without a space", () => {
    expect(() => ggufTokenizer(header({ ...bpe, merges: ["ab"] }))).toThrow(/`merges\[0\]` is/);
  });
});

test("Phi-3's ids equal those of its tokenizer.json", () => {
  const tokenizer = ggufTokenizer(referenceData.bytes("tokenizers/vocab/gguf/phi-3.gguf"));
  const cases = referenceData.json("tokenizers/llama.cpp/phi-3.json") as { text: string; ids: number[] }[];
  for (const { text, ids } of cases) expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(ids);
  expect(tokenizer.encode("a").slice(0, 1)).toEqual([1]);
});

import { describe, expect, test } from "vitest";
import { gpt2Split } from "../pre-tokenizers/gpt2-split.js";
import { loadTokenizer } from "./load-tokenizer.js";
import { tiktokenTokenizer } from "./tiktoken.js";

const pattern = "\\p{L}+|[^\\p{L}]+";
const module = {
  pat_str: pattern,
  special_tokens: { "<|endoftext|>": 9 },
  bpe_ranks: "! 0 aA== aQ== IQ==\n! 5 aGk= /w==",
};
const file = "aA== 0\naQ== 1\nIQ== 2\naGk= 5\n/w== 6\n";

test("golden: a module of js-tiktoken and a .tiktoken file give the same tokenizer", () => {
  const fromModule = tiktokenTokenizer(module);
  const fromFile = tiktokenTokenizer(new TextEncoder().encode(file), { split: gpt2Split });
  const reversed = file.trimEnd().split("\n").reverse().join("\r\n");
  const others = [file, reversed].map((text) => tiktokenTokenizer(text, { split: gpt2Split }));
  const bytes = new TextEncoder().encode(JSON.stringify(module)); // as tiktoken's own package has it
  const fromJson = loadTokenizer({ "cl100k_base.json": bytes });
  for (const tokenizer of [fromModule, fromFile, fromJson, ...others]) {
    expect(tokenizer.encode("hi!h")).toEqual([5, 2, 0]);
    expect(tokenizer.decode([5, 2, 6])).toBe("hi!\uFFFD");
    expect([tokenizer.token(5), tokenizer.id("hi"), tokenizer.token(3)]).toEqual(["hi", 5, undefined]);
  }
  expect([fromModule.vocabSize, fromModule.eosId]).toEqual([10, 9]);
  expect([fromFile.vocabSize, fromFile.eosId]).toEqual([7, undefined]);
});

test("by default a special token in a text is ordinary text, as in encode_ordinary", () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `${btoa(String.fromCharCode(byte))} ${byte}`).join(
    "\n",
  );
  const tokenizer = tiktokenTokenizer(bytes, { split: gpt2Split, specialTokens: { "<|x|>": 256 } });
  expect(tokenizer.encode("<|x|>")).toHaveLength(5);
  expect(tokenizer.encode("<|x|>", { specialTokens: "allowed" })).toEqual([256]);
});

describe("refused", () => {
  test.each([
    [
      "a .tiktoken file without a split",
      () => tiktokenTokenizer(file),
      /`split` is undefined, expected a split, which a .tiktoken file/,
    ],
    [
      "a value that is not ranks",
      () => tiktokenTokenizer({} as never),
      /`ranks` is an object with no keys, expected the bytes/,
    ],
    [
      "an empty file",
      () => tiktokenTokenizer("", { split: gpt2Split }),
      /`ranks` is "no tokens", expected one token/,
    ],
    [
      "a line without rank",
      () => tiktokenTokenizer("aA==", { split: gpt2Split }),
      /`line 1` is "aA==", expected a token in/,
    ],
    [
      "no base64",
      () => tiktokenTokenizer("aA== 0\na?== 1", { split: gpt2Split }),
      /`line 2: token` is "a\?==", expected base64/,
    ],
    [
      "an empty token",
      () => tiktokenTokenizer("== 0", { split: gpt2Split }),
      /`line 1: token` is "==", expected one byte/,
    ],
    [
      "a rank that is not an integer",
      () => tiktokenTokenizer("aA== -1", { split: gpt2Split }),
      /`line 1: rank` is "-1", expected an integer/,
    ],
    [
      "a rank twice",
      () => tiktokenTokenizer("aA== 1\naQ== 1", { split: gpt2Split }),
      /`ranks` is 1, expected one token for each/,
    ],
    [
      "a rank far above the number of tokens",
      () => tiktokenTokenizer("aA== 9999999", { split: gpt2Split }),
      /`ranks` is 9999999, expected ranks that/,
    ],
    ["a bad pattern", () => tiktokenTokenizer({ ...module, pat_str: "(a+" }), /`pat_str` is/],
    [
      "a damaged block",
      () => tiktokenTokenizer({ ...module, bpe_ranks: "! x aA==" }),
      /`bpe_ranks, line 1: rank` is "x"/,
    ],
  ])("%s", (_, load, message) => {
    expect(load).toThrow(message);
  });
});

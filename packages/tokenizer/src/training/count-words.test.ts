import { expect, test } from "vitest";
import { countWords } from "./count-words.js";
import { defineSplit } from "../pre-tokenizers/split.js";

test("each text is split into words separately", () => {
  expect([...countWords(["to", "to be"])]).toEqual([
    ["to", 2],
    [" be", 1],
  ]);
});

test("special tokens are removed, the longest first, with any characters", () => {
  const specialTokens = ["<|a", "<|a|>", "[x]"];
  expect([...countWords("a<|a|>a[x]a<|a", { specialTokens }).entries()]).toEqual([["a", 3]]);
});

test("a custom split", () => {
  const pairs = defineSplit("pairs", (text, start) => Math.min(start + 2, text.length));
  expect([...countWords("ababa", { split: pairs })]).toEqual([
    ["ab", 2],
    ["a", 1],
  ]);
});

test("bytes are refused, with the fix", () => {
  expect(() => countWords([new Uint8Array(2)] as never)).toThrow(
    "countWords: `texts` is a Uint8Array of 2 bytes, expected strings.\nFix: decode bytes first, or wrap a stream: `textChunks(stream)`.",
  );
});

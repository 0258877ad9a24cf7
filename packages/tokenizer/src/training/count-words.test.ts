import fc from "fast-check";
import { expect, test } from "vitest";
import { countWords } from "./count-words.js";
import { gpt2Words } from "./gpt2-words.js";

test("words, joined, are the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(gpt2Words(text).join("")).toBe(text);
    }),
  );
});

test("golden: GPT-2's words", () => {
  const words = "He's  here, they'll pay 100€ \n\nnow";
  expect(gpt2Words(words)).toEqual([..."He|'s| | here|,| they|'ll| pay| 100|€| \n|\n|now".split("|")]);
  // U+0085 is white space and U+FEFF is not, as Unicode has it and \s of JavaScript has not.
  expect(gpt2Words("a\u0085b\ufeffc")).toEqual(["a", "\u0085", "b", "\ufeff", "c"]);
});

test("each text is by itself", () => {
  expect([...countWords(["to", "to be"])]).toEqual([
    ["to", 2],
    [" be", 1],
  ]);
});

test("special tokens are cut out, the longest first, whatever letters they have", () => {
  const specialTokens = ["<|a", "<|a|>", "[x]"];
  expect([...countWords("a<|a|>a[x]a<|a", { specialTokens }).entries()]).toEqual([["a", 3]]);
});

test("a split of one's own", () => {
  expect([...countWords("a-b", { split: (text) => text.split("-") }).keys()]).toEqual(["a", "b"]);
});

test("bytes are refused, with the way to give them", () => {
  expect(() => countWords([new Uint8Array(2)] as never)).toThrow(
    "countWords: `texts` is a Uint8Array of 2 bytes, expected strings.\nFix: decode bytes first, or wrap a stream: `textChunks(stream)`.",
  );
});

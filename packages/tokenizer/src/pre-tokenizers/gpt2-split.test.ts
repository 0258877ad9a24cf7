import { expect, test } from "vitest";
import { gpt2Split } from "./gpt2-split.js";
import { expectSameAsPattern, pieces } from "@qkv/test-support/split-property";

test("property: gpt2Split equals the split of its pattern", () => {
  expectSameAsPattern(
    gpt2Split,
    /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
  );
});

test("golden: one space is joined to the word after it, the spaces before that are one pre-token", () => {
  expect(pieces(gpt2Split, "I'll go\n\n  now,  12a")).toEqual([
    "I",
    "'ll",
    " go",
    "\n\n ",
    " now",
    ",",
    " ",
    " 12",
    "a",
  ]);
});

test("U+0085 is white space and U+FEFF is not, unlike in JavaScript's \\s", () => {
  expect(pieces(gpt2Split, "a\u0085\uFEFFb")).toEqual(["a", "\u0085", "\uFEFF", "b"]);
  expect(pieces(gpt2Split, "\uFEFF!")).toEqual(["\uFEFF!"]);
});

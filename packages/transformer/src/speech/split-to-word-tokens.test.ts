import { expect, test } from "vitest";
import { splitToWordTokens } from "./split-to-word-tokens.js";

/** A tokenizer whose tokens have these texts or UTF-8 bytes, and their ids. */
function byteTokenizer(...texts: (string | number[])[]) {
  const bytes = texts.map((text) => (typeof text === "string" ? [...new TextEncoder().encode(text)] : text));
  const decode = (ids: Iterable<number>) =>
    new TextDecoder().decode(Uint8Array.from([...ids].flatMap((id) => bytes[id]!)));
  return { tokenizer: { decode } as never, ids: texts.map((_, id) => id) };
}
const words = (...texts: (string | number[])[]) => {
  const { tokenizer, ids } = byteTokenizer(...texts);
  return splitToWordTokens(tokenizer, ids).map(({ text, ids }) => [text, ids.length]);
};

test("a word begins at a space; punctuation belongs to the word before it, opening punctuation to the word after it", () => {
  expect(words(" Hel", "lo", ",", " wor", "ld", "!", ' "', "Yes", '"')).toEqual([
    [" Hello,", 2 + 1],
    [" world!", 3],
    [' "Yes"', 3],
  ]);
});

test("in scripts without spaces, each character, or each token of several characters, is a word", () => {
  expect(words("今", "天", "。", "です", " ok")).toEqual([
    ["今", 1],
    ["天。", 2],
    ["です", 1],
    [" ok", 1],
  ]);
});

test("opening punctuation belongs to the word after it in scripts without spaces too", () => {
  expect(words(" “", "今", "天")).toEqual([
    [" “今", 2],
    ["天", 1],
  ]);
});

test("tokens that contain parts of one character belong to one word", () => {
  const [a, b, c, d] = new TextEncoder().encode("🦊");
  expect(words(" a", [32, a!, b!], [c!, d!], " b")).toEqual([
    [" a", 1],
    [" 🦊", 2],
    [" b", 1],
  ]);
  expect(words(" a", [32, a!])).toEqual([
    [" a", 1],
    [" \ufffd", 1],
  ]);
});

test("without a tokenizer, each token is a word with an empty text", () => {
  expect(splitToWordTokens(undefined, [4, 5])).toEqual([
    { text: "", ids: [4] },
    { text: "", ids: [5] },
  ]);
});

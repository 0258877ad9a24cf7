import { expect, test } from "vitest";
import { splitToWordTokens } from "./split-to-word-tokens.js";

/** A tokenizer whose tokens are pieces of bytes. */
function pieces(...texts: (string | number[])[]) {
  const bytes = texts.map((text) => (typeof text === "string" ? [...new TextEncoder().encode(text)] : text));
  const decode = (ids: Iterable<number>) =>
    new TextDecoder().decode(Uint8Array.from([...ids].flatMap((id) => bytes[id]!)));
  return { tokenizer: { decode } as never, ids: texts.map((_, id) => id) };
}
const words = (...texts: (string | number[])[]) => {
  const { tokenizer, ids } = pieces(...texts);
  return splitToWordTokens(tokenizer, ids).map(({ text, ids }) => [text, ids.length]);
};

test("a word begins with a space; marks belong to the word before them, opening ones to the word after", () => {
  expect(words(" Hel", "lo", ",", " wor", "ld", "!", ' "', "Yes", '"')).toEqual([
    [" Hello,", 2 + 1],
    [" world!", 3],
    [' "Yes"', 3],
  ]);
});

test("scripts without spaces have a word for each character, or each token of several", () => {
  expect(words("今", "天", "。", "です", " ok")).toEqual([
    ["今", 1],
    ["天。", 2],
    ["です", 1],
    [" ok", 1],
  ]);
});

test("an opening mark belongs to the word after it, of scripts without spaces too", () => {
  expect(words(" “", "今", "天")).toEqual([
    [" “今", 2],
    ["天", 1],
  ]);
});

test("tokens that are parts of one character are together", () => {
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

test("without a tokenizer each token is a word without a text", () => {
  expect(splitToWordTokens(undefined, [4, 5])).toEqual([
    { text: "", ids: [4] },
    { text: "", ids: [5] },
  ]);
});

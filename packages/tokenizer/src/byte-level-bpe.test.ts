/// <reference types="node" />
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { byteLevelBpe } from "./byte-level-bpe.js";
import { bytesToUnicode } from "./bytes-to-unicode.js";
import { anyText } from "@qkv/test-support/split-property";
import { toWellFormed } from "./to-well-formed.js";

const merges = ["Ġ a", "a b", "b b", "ab b", "Ġa b", "Ã ©", "Ġ Ġ", "ðŁ ĺ", "ð Ł"];
const vocab = [...bytesToUnicode, ...merges.map((pair) => pair.replace(" ", ""))];
const tokenizer = byteLevelBpe(
  { vocab, merges: merges.with(7, "ð Ł").with(8, "ðŁ ĺ") },
  { specialTokens: { "<|endoftext|>": vocab.length } },
);
const id = (token: string) => vocab.indexOf(token);

test("golden: bytes merge in the order of the list, and only within a pre-token", () => {
  expect(tokenizer.encode("abb")).toEqual([id("abb")]);
  expect(tokenizer.encode(" ab")).toEqual([id("Ġab")]); // " a" comes first, then " a" and "b"
  expect(tokenizer.encode("é")).toEqual([id("Ã©")]);
  expect(tokenizer.encode("😀")).toEqual([id("ðŁĺ"), 0x80]);
  expect([tokenizer.vocabSize, tokenizer.bosId, tokenizer.eosId]).toEqual([266, undefined, 265]);
});

test("a special token in a text becomes an id, ordinary text or an error, as `specialTokens` specifies", () => {
  const text = "a<|endoftext|>";
  expect(tokenizer.encode(text)).toEqual([0x61, 265]);
  expect(tokenizer.encode(text, { specialTokens: ["<|endoftext|>"] })).toEqual([0x61, 265]);
  expect(tokenizer.encode(text, { specialTokens: "ordinary" })).not.toContain(265);
  expect(tokenizer.encode(text, { specialTokens: [] })).not.toContain(265);
  expect(() => tokenizer.encode(text, { specialTokens: "refused" })).toThrow(
    'encode: `text` is "a text with the special token \\"<|endoftext|>\\"", expected text without special tokens.\n' +
      'Fix: give `specialTokens: "allowed"` if the token is meant, `"ordinary"` to read it as text.',
  );
  expect(tokenizer.decode([0x61, 265])).toBe("a");
  expect(tokenizer.decode([0x61, 265], { skipSpecialTokens: false })).toBe(text);
});

test("property: decoding restores the text, offsets cover it, count equals the number of ids, and a trace ends with the ids", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const ids = tokenizer.encode(text);
      expect(tokenizer.decode(ids)).toBe(toWellFormed(text));
      const { ids: same, offsets, tokens } = tokenizer.encoding(text);
      expect(same).toEqual(ids);
      expect(tokens.join("").length).toBe(new TextEncoder().encode(text).length);
      let at = 0; // each token starts inside what came before, or right after it
      for (const [start, end] of offsets) {
        expect(start).toBeLessThanOrEqual(at);
        expect(end).toBeGreaterThanOrEqual(at);
        at = end;
      }
      expect(at).toBe(text.length);
      expect(tokenizer.count(text)).toBe(ids.length);
      expect(tokenizer.trace(text).ids).toEqual(ids);
    }),
  );
});

test("offsets count UTF-16 units or code points, and a token of part of a character spans the complete character", () => {
  const text = "a😀b";
  expect(tokenizer.encoding(text).offsets).toEqual([
    [0, 1],
    [1, 3],
    [1, 3],
    [3, 4],
  ]);
  expect(tokenizer.encoding(text, { unit: "codePoint" }).offsets).toEqual([
    [0, 1],
    [1, 2],
    [1, 2],
    [2, 3],
  ]);
});

test("counting stops once the limit is exceeded", () => {
  expect(tokenizer.count("a ".repeat(1000))).toBe(1001);
  const over = tokenizer.count("a ".repeat(1000), { limit: 10 });
  expect(over).toBeGreaterThan(10);
  expect(over).toBeLessThan(20);
});

test("a trace has one step for each merge", () => {
  expect(tokenizer.trace(" abb").parts).toEqual([
    {
      normalized: " abb",
      preTokens: [
        {
          preToken: " abb",
          ids: [id("Ġa"), id("bb")],
          tokens: ["Ġa", "bb"],
          steps: [
            ["Ġ", "a", "b", "b"],
            ["Ġa", "b", "b"],
            ["Ġa", "bb"],
          ],
        },
      ],
    },
  ]);
});

describe("refused", () => {
  test.each([
    ["a merge that is no pair", { merges: ["a"] }, /byteLevelBpe: `merges\[0\]` is "a", expected two tokens/],
    ["a merge of three", { merges: ["a b b"] }, /`merges\[0\]` is "a b b", expected two tokens/],
    [
      "a merge whose token is missing",
      { merges: ["a b", "b a"] },
      /`merges\[1\]` is "ba", expected a token of the voc/,
    ],
    [
      "a merge with a missing side",
      { merges: ["a xyz"] },
      /`merges\[0\]` is "xyz", expected a token of the vocabulary/,
    ],
    ["a merge with an empty side", { merges: [["a", ""] as const] }, /`merges\[0\]` is "", expected a token/],
    [
      "two tokens with the same id",
      { vocab: { a: 0, b: 0 } },
      /`vocab\["b"\]` is 0, expected a unique id; "a" has the same/,
    ],
    [
      "an id far above the number of tokens",
      { vocab: { a: 2 ** 31 } },
      /`vocab\["a"\]` is 2147483648, expected an integer, at most/,
    ],
    ["an id that is no number", { vocab: { a: "1" as never } }, /`vocab\["a"\]` is "1", expected an integer/],
  ])("%s", (_, trained, message) => {
    expect(() => byteLevelBpe({ vocab: [...bytesToUnicode, "ab"], ...trained })).toThrow(message);
  });

  test('a byte without a token is refused, unless `unknown` is "drop" or an id', () => {
    const small = (unknown?: "drop" | number) =>
      byteLevelBpe({ vocab: ["a", "?"], ...(unknown !== undefined && { unknown }) });
    expect(() => small().encode("ab")).toThrow(
      /`text` is "a text with the byte 0x62", expected bytes that have a token/,
    );
    expect(small("drop").encode("ab")).toEqual([0]);
    expect(small(1).encode("ab")).toEqual([0, 1]);
  });

  test("an id outside the vocabulary", () => {
    expect(() => tokenizer.decode([266])).toThrow(/decode: `id` is 266, expected a token id from 0 to 265/);
    expect(() => tokenizer.decodeStream().push(-1)).toThrow(/push: `id` is -1/);
    expect(() => tokenizer.encode(5 as never)).toThrow(/encode: `text` is 5, expected a string/);
  });
});

test("GPT-2's ids equal tiktoken's", () => {
  const read = (path: string) => referenceData.text(`tokenizers/${path}`);
  const gpt2 = byteLevelBpe({
    vocab: JSON.parse(read("vocab/gpt2/encoder.json")) as Record<string, number>,
    merges: read("vocab/gpt2/vocab.bpe").split("\n").slice(1, -1),
  });
  const strings = JSON.parse(read("strings.json")) as { id: string; text: string }[];
  const texts = new Map(strings.map(({ id, text }) => [id, text]));
  const { cases } = JSON.parse(read("refs/gpt2.json")) as { cases: { id: string; ids: number[] }[] };
  for (const { id, ids } of cases) expect(gpt2.encode(texts.get(id)!), id).toEqual(ids);
});

/// <reference types="node" />
import fc from "fast-check";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { fuzzStrings } from "@qkv/test-support/fuzz-strings";
import { casesByTier, runs } from "../../../scripts/tier.mjs";
import { tiktokenTokenizer, type TiktokenRanks } from "./loading/tiktoken.js";
import { cl100kSplit, o200kSplit } from "./pre-tokenizers/known-splits.js";
import type { Tokenizer } from "./tokenizer.js";
import { anyText } from "@qkv/test-support/split-property";
import { toWellFormed } from "./to-well-formed.js";

const require = createRequire(import.meta.url);
type Encoder = { encode_ordinary(text: string): ArrayLike<number>; free(): void };
const { get_encoding: getEncoding } = require("tiktoken") as { get_encoding(name: string): Encoder };

const load = (name: string) => {
  const ranks = require(`js-tiktoken/ranks/${name}`) as TiktokenRanks & { default?: TiktokenRanks };
  return tiktokenTokenizer(ranks.default ?? ranks);
};
const tokenizers = new Map<string, Tokenizer>(
  ["gpt2", "cl100k_base", "o200k_base"].map((name) => [name, load(name)]),
);

describe.each([...tokenizers])("%s", (name, tokenizer) => {
  test("2,000 random strings of all Unicode planes have tiktoken's ids", () => {
    const reference = getEncoding(name);
    try {
      for (const text of fuzzStrings(2000, Number(process.env["QKV_SEED"] ?? 1))) {
        const expected = Array.from(reference.encode_ordinary(text));
        expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(expected);
      }
    } finally {
      reference.free();
    }
  });

  test("property: decoding restores the text, streaming or at once; lone surrogates become U+FFFD", () => {
    const lone = fc.string({ unit: fc.constantFrom("a", " ", "\uD83D", "\uDE00", "\u00E9") });
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: "binary" }), lone), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(toWellFormed(text));
        const decoder = tokenizer.decodeStream();
        const parts = ids.map((id) => decoder.push(id));
        expect(parts.join("") + decoder.end()).toBe(toWellFormed(text));
        for (const part of parts) expect(toWellFormed(part)).toBe(part);
      }),
    );
  });
});

test.each([
  ["cl100k_base", cl100kSplit],
  ["o200k_base", o200kSplit],
])("property: %s: two texts joined at a pre-token boundary have the concatenated ids", (name, split) => {
  const tokenizer = tokenizers.get(name)!;
  fc.assert(
    fc.property(anyText, fc.nat(40), (text, which) => {
      const spans = split.spans(text);
      if (spans.length === 0) return;
      const cut = spans[(2 * which) % spans.length]!;
      const [left, right] = [text.slice(0, cut), text.slice(cut)];
      // Where the parts are split as the whole is: white space at an end may belong to what came after it.
      const parts = [...split.spans(left), ...split.spans(right).map((at) => at + cut)];
      if (parts.join() !== spans.join()) return;
      expect(tokenizer.encode(text)).toEqual([...tokenizer.encode(left), ...tokenizer.encode(right)]);
    }),
    { numRuns: runs(500) },
  );
});

const repeated = [
  ["one letter", "a"],
  ["spaces", " "],
  ["capitals", "A"],
  ["emoji modifiers", "\u{1F3FB}"],
  ["marks", "\u0301"],
  ["apostrophes", "'"],
  ["line breaks and spaces", "\n "],
  ["letters without case and with", "\u65E5A"],
] as const;

test.each(casesByTier(repeated, ([name]) => name === "one letter"))(
  "a million characters of %s are encoded and decoded",
  (_, unit) => {
    const text = unit.repeat(Math.floor(1_000_000 / unit.length));
    const tokenizer = tokenizers.get("o200k_base")!;
    expect(tokenizer.decode(tokenizer.encode(text)) === text).toBe(true);
  },
);

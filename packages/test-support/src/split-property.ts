import fc from "fast-check";
import { expect } from "vitest";
import type { Split } from "@qkv/tokenizer";

/** The pieces into which a pre-tokenizer splits a text. */
export function pieces(split: Split, text: string): string[] {
  const spans = split.spans(text);
  return spans.flatMap((start, i) => (i % 2 === 0 ? [text.slice(start, spans[i + 1])] : []));
}

// Characters of every class that patterns of pre-tokenizers distinguish.
const units =
  "a b Z é ß ſ ǅ ʰ 日 ا 1 ² Ⅷ ٣ ' \" ! / . _ - + € \u0301 \u200D \uFEFF \u0085 \u00A0 \u3000 \u2028 \t \n \r \0 😀 🏽 𝒜 𝟙".split(
    " ",
  );
// Contractions and runs of spaces are the special cases of GPT-2's pattern.
const unit = fc.constantFrom(" ", "  ", "'s", "'S", "'ſ", "'ll", "'Re", "\r\n", ...units);
/** Texts of those characters, or of any in the planes that have letters. */
export const anyText = fc.oneof(
  fc.string({ unit, maxLength: 40 }),
  fc
    .string({ unit: "binary", maxLength: 20 })
    .filter((text) => [...text].every((c) => c.codePointAt(0)! < 0x30000)),
);

/** Expects a split to return the matches of a regular expression of JavaScript, for any text. */
export function expectSameAsPattern(split: Split, pattern: RegExp): void {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(pieces(split, text)).toEqual(text.match(pattern) ?? []);
    }),
    { numRuns: 2000 },
  );
}

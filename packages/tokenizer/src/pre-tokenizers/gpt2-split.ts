import { generalCategory, runEnd } from "../characters/general-category.js";
import { contractionEnd } from "./contraction.js";
import { whitespaceEnd } from "./whitespace-end.js";
import { defineSplit, type Split } from "./split.js";

/** The pattern of {@link gpt2Split}. */
export const gpt2Pattern =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * GPT-2's split: contractions, then runs of letters, of numbers, or of other characters, each with one space in
 * front, then white space. Written by hand for
 * `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, and linear whatever the text.
 *
 * @see openai/gpt-2, src/encoder.py
 *
 * @example
 * ```ts
 * import { gpt2Split } from "@qkv/tokenizer";
 *
 * const text = "We're  here!";
 * const spans = gpt2Split.spans(text); // starts and ends in turn
 * spans.flatMap((start, i) => (i % 2 ? [] : [text.slice(start, spans[i + 1])])); // => ["We", "'re", " ", " here", "!"]
 * ```
 */
export const gpt2Split: Split = /* @__PURE__ */ defineSplit(
  "gpt2",
  (text, start) => {
    const contraction = contractionEnd(text, start, "lower");
    if (contraction > start) return contraction;
    const from = text.charCodeAt(start) === 32 ? start + 1 : start;
    for (const kinds of [generalCategory.letter, generalCategory.number, others]) {
      const end = runEnd(text, from, kinds);
      if (end > from) return end;
    }
    return whitespaceEnd(text, start, runEnd(text, start, generalCategory.space));
  },
  { json: { type: "Split", pattern: { Regex: gpt2Pattern }, behavior: "Isolated", invert: false } },
);

/** `[^\s\p{L}\p{N}]` */
const others = /* @__PURE__ */ (() =>
  generalCategory.mark | generalCategory.punctuation | generalCategory.symbol | generalCategory.other)();

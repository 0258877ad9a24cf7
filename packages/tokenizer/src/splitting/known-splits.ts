import { gpt2Pattern, gpt2Split } from "./gpt2-split.js";
import { patternSplit } from "./pattern-split.js";
import type { Split } from "./split.js";
import { wordSplit } from "./word-split.js";

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const spelledOut = "('s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL|'d|'D)"; // as js-tiktoken writes the same
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const front = String.raw`[^\r\n\p{L}\p{N}]?`;
const [upper, lower] = [String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`];
const letters = (first: string, digits: string) =>
  String.raw`${first}|${front}\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
const cased = (last: string, digits: string) =>
  String.raw`${front}${upper}*${lower}+${last}|${front}${upper}+${lower}*${last}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${spaces}`;
const three = String.raw`\p{N}{1,3}`;
const one = String.raw`\p{N}`;
const marked = String.raw`${contractions}|${front}[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${spaces}`;

/** The split of cl100k_base (GPT-4) and Llama 3: up to three digits in a piece. */
export const cl100kSplit: Split = /* @__PURE__ */ wordSplit("cl100k", letters(contractions, three), {
  contractions: "folded",
  digits: 3,
  words: "letters",
});

/** Qwen's split: as cl100k's, with each digit by itself. */
export const qwen2Split: Split = /* @__PURE__ */ wordSplit("qwen2", letters(contractions, one), {
  contractions: "folded",
  digits: 1,
  words: "letters",
});

/** Qwen 3.5's split: as Qwen's, with the marks of a word in it. */
export const qwen35Split: Split = /* @__PURE__ */ wordSplit("qwen35", marked, {
  contractions: "folded",
  digits: 1,
  words: "marked",
});

/** The split of o200k_base, GPT-4o's: words end where small letters are followed by a capital. */
export const o200kSplit: Split = /* @__PURE__ */ wordSplit("o200k", cased(`${contractions}?`, three), {
  contractions: "folded",
  digits: 3,
  words: "cased",
  slash: true,
});

/** Mistral's Tekken split: as o200k's, without contractions and with each digit by itself. */
export const tekkenSplit: Split = /* @__PURE__ */ wordSplit("tekken", cased("", one), {
  contractions: "none",
  digits: 1,
  words: "cased",
  slash: true,
});

/** Splits written by hand, by the pattern that files name. */
const byPattern: ReadonlyMap<string, Split> = /* @__PURE__ */ new Map([
  [gpt2Pattern, gpt2Split],
  [letters(contractions, three), cl100kSplit],
  [letters(spelledOut, three), cl100kSplit],
  [letters(contractions, one), qwen2Split],
  [marked, qwen35Split],
  [cased(`${contractions}?`, three), o200kSplit],
  [cased(`${spelledOut}?`, three), o200kSplit],
  [cased("", one), tekkenSplit],
]);

/** The split of a pattern: one written by hand where there is one, else {@link patternSplit}'s. */
export function splitOfPattern(pattern: string, options: Parameters<typeof patternSplit>[1] = {}): Split {
  return byPattern.get(pattern) ?? patternSplit(pattern, options);
}

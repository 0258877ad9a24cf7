import { checks } from "@qkv/core";
import { gpt2Pattern, gpt2Split } from "./gpt2-split.js";
import { patternOptions, patternSplit } from "./pattern-split.js";
import type { Split } from "./split.js";
import { wordSplit, type WordSplitOptions } from "./word-split.js";

const folded = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** The same as js-tiktoken writes it, for engines that lack flags in a pattern. */
const spelledOut = "('s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL|'d|'D)";
const spaces = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const front = "[^\\r\\n\\p{L}\\p{N}]?";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

/** The split of cl100k_base (GPT-4) and Llama 3: up to three digits in a piece. */
export const cl100kSplit: Split = /* @__PURE__ */ byHand("cl100k", cl100kPattern, {
  contractions: "folded",
  digits: 3,
  words: "letters",
});

/** Qwen's split: as cl100k's, with each digit by itself. */
export const qwen2Split: Split = /* @__PURE__ */ byHand("qwen2", qwen2Pattern, {
  contractions: "folded",
  digits: 1,
  words: "letters",
});

/** Qwen 3.5's split: as Qwen's, with the marks of a word in it. */
export const qwen35Split: Split = /* @__PURE__ */ byHand("qwen35", qwen35Pattern, {
  contractions: "folded",
  digits: 1,
  words: "marked",
});

/** The split of o200k_base, GPT-4o's: words end where small letters are followed by a capital. */
export const o200kSplit: Split = /* @__PURE__ */ byHand("o200k", o200kPattern, {
  contractions: "folded",
  digits: 3,
  words: "cased",
  slash: true,
});

/** Mistral's Tekken split: as o200k's, without contractions and with each digit by itself. */
export const tekkenSplit: Split = /* @__PURE__ */ byHand("tekken", tekkenPattern, {
  contractions: "none",
  digits: 1,
  words: "cased",
  slash: true,
});

let byPattern: ReadonlyMap<string, Split> | undefined;

/** The split of a pattern: one written by hand where there is one, else {@link patternSplit}'s. */
export function splitOfPattern(pattern: string, options: Parameters<typeof patternSplit>[1] = {}): Split {
  const check = checks("splitOfPattern");
  check.type({ pattern }, "string");
  check.options(options, patternOptions);
  byPattern ??= new Map([
    [gpt2Pattern, gpt2Split],
    [cl100kPattern(), cl100kSplit],
    [cl100kPattern(spelledOut), cl100kSplit],
    [qwen2Pattern(), qwen2Split],
    [qwen35Pattern(), qwen35Split],
    [o200kPattern(), o200kSplit],
    [o200kPattern(spelledOut), o200kSplit],
    [tekkenPattern(), tekkenSplit],
  ]);
  return byPattern.get(pattern) ?? patternSplit(pattern, options);
}

// Patterns are functions, so that who takes one split bundles one.
function byHand(name: string, pattern: () => string, options: WordSplitOptions): Split {
  return wordSplit(name, pattern(), options);
}

function cl100kPattern(contractions = folded): string {
  return `${contractions}|${front}\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${spaces}`;
}

function qwen2Pattern(): string {
  return `${folded}|${front}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${spaces}`;
}

function qwen35Pattern(): string {
  return `${folded}|${front}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`;
}

function o200kPattern(contractions = folded): string {
  return casedPattern(`${contractions}?`, "\\p{N}{1,3}");
}

function tekkenPattern(): string {
  return casedPattern("", "\\p{N}");
}

function casedPattern(last: string, digits: string): string {
  return `${front}${upper}*${lower}+${last}|${front}${upper}+${lower}*${last}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${spaces}`;
}

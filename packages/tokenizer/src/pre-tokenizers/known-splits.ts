import { checks } from "@qkv/core";
import { gpt2Pattern, gpt2Split } from "./gpt2-split.js";
import { patternOptions, patternSplit } from "./pattern-split.js";
import type { Split } from "./split.js";
import { wordSplit, type WordSplitOptions } from "./word-split.js";

const contractionPattern = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** The same without a flag, as js-tiktoken writes it for engines that have none inside a pattern. */
const expandedContractions = "('s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL|'d|'D)";
const spaces = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const prefix = "[^\\r\\n\\p{L}\\p{N}]?";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

/** The split of cl100k_base (GPT-4) and Llama 3: up to three digits in a pre-token. */
export const cl100kSplit: Split = /* @__PURE__ */ handWritten("cl100k", cl100kPattern, {
  contractions: "folded",
  digits: 3,
  wordCharacters: "letters",
});

/** Qwen's split: as cl100k's, with each digit by itself. */
export const qwen2Split: Split = /* @__PURE__ */ handWritten("qwen2", qwen2Pattern, {
  contractions: "folded",
  digits: 1,
  wordCharacters: "letters",
});

/** Qwen 3.5's split: as Qwen's, with combining marks as part of a word. */
export const qwen35Split: Split = /* @__PURE__ */ handWritten("qwen35", qwen35Pattern, {
  contractions: "folded",
  digits: 1,
  wordCharacters: "lettersAndMarks",
});

/** The split of o200k_base, GPT-4o's: words end where lowercase is followed by uppercase. */
export const o200kSplit: Split = /* @__PURE__ */ handWritten("o200k", o200kPattern, {
  contractions: "folded",
  digits: 3,
  wordCharacters: "cased",
  slash: true,
});

/** Mistral's Tekken split: as o200k's, without contractions and with each digit by itself. */
export const tekkenSplit: Split = /* @__PURE__ */ handWritten("tekken", tekkenPattern, {
  contractions: "none",
  digits: 1,
  wordCharacters: "cased",
  slash: true,
});

let byPattern: ReadonlyMap<string, Split> | undefined;

/** The split of a pattern: one written by hand where there is one, else {@link patternSplit}'s. */
export function splitFromPattern(pattern: string, options: Parameters<typeof patternSplit>[1] = {}): Split {
  const check = checks("splitFromPattern");
  check.type({ pattern }, "string");
  check.options(options, patternOptions);
  byPattern ??= new Map([
    [gpt2Pattern, gpt2Split],
    [cl100kPattern(), cl100kSplit],
    [cl100kPattern(expandedContractions), cl100kSplit],
    [qwen2Pattern(), qwen2Split],
    [qwen35Pattern(), qwen35Split],
    [o200kPattern(), o200kSplit],
    [o200kPattern(expandedContractions), o200kSplit],
    [tekkenPattern(), tekkenSplit],
  ]);
  return byPattern.get(pattern) ?? patternSplit(pattern, options);
}

// Patterns are functions: a bundle with one split holds one pattern.
function handWritten(name: string, pattern: () => string, options: WordSplitOptions): Split {
  return wordSplit(name, pattern(), options);
}

function cl100kPattern(contractions = contractionPattern): string {
  return `${contractions}|${prefix}\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${spaces}`;
}

function qwen2Pattern(): string {
  return `${contractionPattern}|${prefix}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${spaces}`;
}

function qwen35Pattern(): string {
  return `${contractionPattern}|${prefix}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`;
}

function o200kPattern(contractions = contractionPattern): string {
  return casedPattern(`${contractions}?`, "\\p{N}{1,3}");
}

function tekkenPattern(): string {
  return casedPattern("", "\\p{N}");
}

function casedPattern(last: string, digits: string): string {
  return `${prefix}${upper}*${lower}+${last}|${prefix}${upper}+${lower}*${last}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${spaces}`;
}

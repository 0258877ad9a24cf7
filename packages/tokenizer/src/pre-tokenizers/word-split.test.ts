import { test } from "vitest";
import { cl100kSplit, o200kSplit, qwen2Split, qwen35Split, tekkenSplit } from "./known-splits.js";
import { expectSameAsPattern } from "@qkv/test-support/split-property";

const contractions = String.raw`'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`;
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const front = String.raw`[^\r\n\p{L}\p{N}]?`;

/** The pattern as JavaScript reads it, with Unicode's white space. */
const pattern = (...parts: string[]) =>
  new RegExp(
    parts.join("|").replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"),
    "gu",
  );

test.each([
  [
    cl100kSplit,
    pattern(contractions, String.raw`${front}\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*`, spaces),
  ],
  [qwen2Split, pattern(contractions, String.raw`${front}\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*`, spaces)],
  [
    qwen35Split,
    pattern(contractions, String.raw`${front}[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*`, spaces),
  ],
  [
    o200kSplit,
    pattern(
      `${front}${upper}*${lower}+(?:${contractions})?|${front}${upper}+${lower}*(?:${contractions})?`,
      String.raw`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*`,
      spaces,
    ),
  ],
  [
    tekkenSplit,
    pattern(
      `${front}${upper}*${lower}+|${front}${upper}+${lower}*`,
      String.raw`\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*`,
      spaces,
    ),
  ],
])("property: $0.name equals the split of its pattern", (split, pattern) => {
  expectSameAsPattern(split, pattern);
});

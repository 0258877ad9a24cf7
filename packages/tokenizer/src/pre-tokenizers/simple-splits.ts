import { checks } from "@qkv/core";
import { newerCharacters } from "../characters/newer-characters.js";
import { generalCategory, categoryBits, runEnd } from "../characters/general-category.js";
import { applyBehavior, behaviorName, behaviors, type SplitBehavior } from "./pattern-split.js";
import type { Split } from "./split.js";

/** Words between white space, which is dropped. */
export const whitespaceSplit: Split = {
  name: "white space",
  spans: (text) => applyBehavior(characterRuns(text, generalCategory.space), text.length, "removed", false),
  json: { type: "WhitespaceSplit" },
};

/**
 * BERT's split: white space is dropped, each punctuation mark is a pre-token. Punctuation is Unicode's, and all of
 * ASCII that is neither letter, digit nor space.
 *
 * @see google-research/bert, `BasicTokenizer` in tokenization.py
 */
export const bertSplit: Split = {
  name: "BERT",
  spans(text) {
    const spans: number[] = [];
    let start = 0;
    const close = (end: number) => {
      if (end > start) spans.push(start, end);
    };
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at)!;
      const next = at + (code > 0xffff ? 2 : 1);
      const space = categoryBits(code) === generalCategory.space;
      if (space || isPunctuation(code)) {
        close(at);
        if (!space) spans.push(at, next);
        start = next;
      }
      at = next;
    }
    close(text.length);
    return spans;
  },
  json: { type: "BertPreTokenizer" },
};

/** Separates digits from other text: runs of digits, or each digit. */
export function digitsSplit(options: { individual?: boolean } = {}): Split {
  const check = checks("digitsSplit");
  const { individual = false } = check.options(options, ["individual"]);
  check.type({ individual }, "boolean");
  return {
    name: "digits",
    spans(text) {
      const matches = individual
        ? matchingCharacters(text, (code) => isNumeric(code))
        : characterRuns(text, generalCategory.number);
      return applyBehavior(matches, text.length, individual ? "isolated" : "contiguous", false);
    },
    json: { type: "Digits", individual_digits: individual },
  };
}

/** Separates punctuation, as defined for {@link bertSplit}, from other text. */
export function punctuationSplit(behavior: SplitBehavior = "isolated"): Split {
  checks("punctuationSplit").oneOf({ behavior }, behaviors);
  return {
    name: "punctuation",
    spans: (text) => applyBehavior(matchingCharacters(text, isPunctuation), text.length, behavior, false),
    json: { type: "Punctuation", behavior: behaviorName(behavior) },
  };
}

/** Pre-tokens of `length` characters, the last one shorter. */
export function fixedLengthSplit(length: number): Split {
  checks("fixedLengthSplit").whole({ length }, { min: 1, unit: "characters" });
  return {
    name: `${length} characters`,
    spans(text) {
      const spans: number[] = [];
      for (let at = 0; at < text.length;) {
        const start = at;
        for (let count = 0; count < length && at < text.length; count++)
          at += text.codePointAt(at)! > 0xffff ? 2 : 1;
        spans.push(start, at);
      }
      return spans;
    },
    json: { type: "FixedLength", length },
  };
}

/** Starts and ends of the runs of characters of some categories. */
function characterRuns(text: string, categories: number): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    const end = runEnd(text, at, categories);
    if (end > at) runs.push(at, end);
    at = runEnd(text, end, ~categories);
  }
  return runs;
}

function matchingCharacters(text: string, is: (code: number) => boolean): number[] {
  const found: number[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!;
    const next = at + (code > 0xffff ? 2 : 1);
    if (is(code)) found.push(at, next);
    at = next;
  }
  return found;
}

const isNumeric = (code: number) => (categoryBits(code) & generalCategory.number) !== 0;

function isPunctuation(code: number): boolean {
  if (code < 128)
    return (
      code > 32 &&
      code < 127 &&
      (categoryBits(code) & (generalCategory.letter | generalCategory.number)) === 0
    );
  if (categoryBits(code) !== generalCategory.punctuation) return code === 0x166d || code === 0x111c9;
  return !newerCharacters.bertPunctuation.test(String.fromCodePoint(code));
}

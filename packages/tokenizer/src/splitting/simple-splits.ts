import { checks } from "@qkv/core";
import { newerCharacters } from "../characters/newer-characters.js";
import { kind, kindOf, runEnd } from "../characters/character-kind.js";
import { arrange, behaviorName, behaviors, type MatchBehavior } from "./pattern-split.js";
import type { Split } from "./split.js";

/** Words between white space, which is dropped. */
export const whitespaceSplit: Split = {
  name: "white space",
  spans: (text) => arrange(runsOf(text, kind.space), text.length, "removed", false),
  json: { type: "WhitespaceSplit" },
};

/**
 * BERT's split: white space is dropped, each punctuation mark is a piece. Punctuation is Unicode's, and all of
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
      const space = kindOf(code) === kind.space;
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

/** Digits apart from the rest: in runs, or each by itself. */
export function digitsSplit(options: { individual?: boolean } = {}): Split {
  const { individual = false } = checks("digitsSplit").options(options, ["individual"]);
  return {
    name: "digits",
    spans(text) {
      const matches = individual ? eachOf(text, (code) => isNumeric(code)) : runsOf(text, kind.number);
      return arrange(matches, text.length, individual ? "isolated" : "contiguous", false);
    },
    json: { type: "Digits", individual_digits: individual },
  };
}

/** Punctuation apart from the rest, as {@link bertSplit} knows it. */
export function punctuationSplit(behavior: MatchBehavior = "isolated"): Split {
  checks("punctuationSplit").oneOf({ behavior }, behaviors);
  return {
    name: "punctuation",
    spans: (text) => arrange(eachOf(text, isPunctuation), text.length, behavior, false),
    json: { type: "Punctuation", behavior: behaviorName(behavior) },
  };
}

/** Pieces of `length` characters, the last one shorter. */
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

/** Starts and ends of the runs of some kinds of characters. */
function runsOf(text: string, kinds: number): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    const end = runEnd(text, at, kinds);
    if (end > at) runs.push(at, end);
    at = runEnd(text, end, ~kinds);
  }
  return runs;
}

function eachOf(text: string, is: (code: number) => boolean): number[] {
  const found: number[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!;
    const next = at + (code > 0xffff ? 2 : 1);
    if (is(code)) found.push(at, next);
    at = next;
  }
  return found;
}

const isNumeric = (code: number) => (kindOf(code) & kind.number) !== 0;

function isPunctuation(code: number): boolean {
  if (code < 128) return code > 32 && code < 127 && (kindOf(code) & (kind.letter | kind.number)) === 0;
  if (kindOf(code) !== kind.punctuation) return code === 0x166d || code === 0x111c9;
  return !newerCharacters.bertPunctuation.test(String.fromCodePoint(code));
}

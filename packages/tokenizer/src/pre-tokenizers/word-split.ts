import { generalCategory, categoryBits, runEnd } from "../characters/general-category.js";
import { contractionEnd } from "./contraction.js";
import { lineBreakEnd, whitespaceEnd } from "./whitespace-end.js";
import { defineSplit, type Split } from "./split.js";

/** Options of the patterns of the cl100k family. */
export type WordSplitOptions = {
  /**
   * Case of contractions: `"any"`, uppercase too; `"folded"`, also the long s, which case folding maps to s; `"none"`: the
   * pattern has no contractions.
   */
  contractions: "none" | "any" | "folded";
  /** Maximum number of digits in a pre-token. */
  digits: number;
  /**
   * Characters of a word: `"letters"`, `"lettersAndMarks"`, or `"cased"`: a word ends where lowercase is followed by
   * uppercase, and includes its contraction.
   */
  wordCharacters: "letters" | "lettersAndMarks" | "cased";
  /** True: `/` belongs to preceding punctuation, like line breaks. */
  slash?: boolean;
};

/**
 * The splits of cl100k, Llama 3, Qwen and o200k, which are one pattern with different parts: contractions, words with
 * one character in front, digits, punctuation with one space in front and line breaks after, white space.
 *
 * Written by hand from the patterns, and linear whatever the text.
 *
 * @param pattern - The equivalent regular expression, as `tokenizer.json` files have it.
 */
export function wordSplit(name: string, pattern: string, options: WordSplitOptions): Split {
  const { contractions, digits, wordCharacters, slash = false } = options;
  const cased = wordCharacters === "cased";
  const inWord =
    wordCharacters === "letters" ? generalCategory.letter : generalCategory.letter | generalCategory.mark;
  // A mark that belongs to a word is no punctuation; where words are cased it may be either.
  const inPunctuation = others & (wordCharacters === "lettersAndMarks" ? ~generalCategory.mark : ~0);
  const wordEnd = cased ? casedWordEnd : (text: string, at: number) => runEnd(text, at, inWord);

  return defineSplit(
    name,
    (text, start) => {
      if (!cased && contractions !== "none") {
        const end = contractionEnd(text, start, contractions);
        if (end > start) return end;
      }
      // A word, optionally after one character that is not a letter, a number or a line break.
      const code = text.codePointAt(start)!;
      const hasPrefix =
        code !== 10 &&
        code !== 13 &&
        (categoryBits(code) & (generalCategory.letter | generalCategory.number)) === 0;
      const from = hasPrefix ? start + (code > 0xffff ? 2 : 1) : start;
      const prefixedEnd = hasPrefix ? wordEnd(text, from) : from;
      let end = prefixedEnd > from ? prefixedEnd : wordEnd(text, start);
      if (end <= start && prefixedEnd < 0)
        end = -prefixedEnd; // the second pattern of casedWordEnd matched
      else if (end < 0) end = -end;
      if (end > start)
        return cased && contractions !== "none" ? contractionEnd(text, end, contractions) : end;

      end = digitsEnd(text, start, digits);
      if (end > start) return end;

      const spaced = code === 32 ? start + 1 : start;
      end = runEnd(text, spaced, inPunctuation);
      if (end > spaced) {
        while (end < text.length && isBreak(text.charCodeAt(end), slash)) end += 1;
        return end;
      }
      const spaces = runEnd(text, start, generalCategory.space);
      const lines = lineBreakEnd(text, start, spaces);
      return lines >= 0 ? lines : whitespaceEnd(text, start, spaces);
    },
    { json: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false } },
  );
}

/** `[^\s\p{L}\p{N}]` */
const others = /* @__PURE__ */ (() =>
  generalCategory.mark | generalCategory.punctuation | generalCategory.symbol | generalCategory.other)();

const isBreak = (unit: number, slash: boolean) => unit === 10 || unit === 13 || (slash && unit === 47);

/** The end of `\p{N}{1,maxDigits}`. */
function digitsEnd(text: string, start: number, maxDigits: number): number {
  if (maxDigits === Infinity) return runEnd(text, start, generalCategory.number);
  let end = start;
  for (let count = 0; count < maxDigits && end < text.length; count++) {
    const code = text.codePointAt(end)!;
    if ((categoryBits(code) & generalCategory.number) === 0) break;
    end += code > 0xffff ? 2 : 1;
  }
  return end;
}

const upper = /* @__PURE__ */ (() =>
  generalCategory.upper |
  generalCategory.title |
  generalCategory.modifier |
  generalCategory.otherLetter |
  generalCategory.mark)();
const lower = /* @__PURE__ */ (() =>
  generalCategory.lower | generalCategory.modifier | generalCategory.otherLetter | generalCategory.mark)();

/**
 * The end of a word of the cased patterns: `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`, or else
 * `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+`.
 *
 * Letters without case are in both sets. If no small letter follows the capitals, the first pattern backtracks
 * over capitals to a letter without case; if there is none, the second pattern matches all capitals.
 *
 * @returns The end, negated if the second pattern matched; `start` if neither did.
 */
function casedWordEnd(text: string, start: number): number {
  const capitals = runEnd(text, start, upper);
  const end = runEnd(text, capitals, lower);
  if (end > capitals || capitals === start) return end;
  for (let at = capitals; at > start;) {
    const low = (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00;
    const code = low ? text.codePointAt(at - 2)! : text.charCodeAt(at - 1);
    if ((categoryBits(code) & lower) !== 0) return at;
    at -= low ? 2 : 1;
  }
  return -capitals;
}

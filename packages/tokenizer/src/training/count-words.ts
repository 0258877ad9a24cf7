import { ArgumentError, checks } from "@qkv/core";
import { checkHas, checkList, checkTexts, isText } from "../check-arguments.js";
import { gpt2Split } from "../pre-tokenizers/gpt2-split.js";
import type { Split } from "../pre-tokenizers/split.js";

/** Pre-tokenization of the texts whose words are counted. */
export type CountOptions = {
  /**
   * Pre-tokenizer: splits a text into words. Merges do not cross words, and the encoder needs the same split. Default: `gpt2Split`, letters,
   * digits and other characters apart, each with the space in front.
   */
  split?: Split;
  /** Texts of special tokens, such as `<|endoftext|>`: cut out first and not counted. Default: none. */
  specialTokens?: readonly string[];
};

/**
 * Counts the words (pre-tokens) of texts, all that BPE training reads of them.
 *
 * @param texts - A text, or several: no word reaches across two.
 * @returns The count of each word, in the order of first appearance.
 * @throws {ArgumentError} If a text is not a string.
 *
 * @example
 * ```ts
 * import { countWords } from "@qkv/tokenizer/training";
 *
 * const words = countWords("low lower low");
 * [...words]; // => [["low", 1], [" lower", 1], [" low", 1]]
 * ```
 */
export function countWords(
  texts: string | Iterable<string>,
  options: CountOptions = {},
): Map<string, number> {
  const check = checks("countWords");
  checkTexts(check, { texts });
  const counter = wordCounter("countWords", check.options(options, ["split", "specialTokens"]));
  for (const text of typeof texts === "string" ? [texts] : texts) counter.add(text);
  return counter.words;
}

/** The same, one text at a time. */
export function wordCounter(
  fn: string,
  { split = gpt2Split, specialTokens = [] }: CountOptions,
): { add(text: string): void; readonly words: Map<string, number> } {
  const check = checks(fn);
  checkHas(check, { split }, ["spans"], "a split, such as `gpt2Split`");
  checkList(check, { specialTokens }, isText, "a list of texts");
  const words = new Map<string, number>();
  // Of special tokens with a common prefix, the longest is cut out.
  const longestFirst = [...specialTokens].sort((a, b) => b.length - a.length);
  const special = new RegExp(longestFirst.map(escapeRegExp).join("|"));
  return {
    words,
    add(text) {
      if (typeof text !== "string") {
        throw new ArgumentError({
          fn,
          argument: "texts",
          received: text,
          expected: "strings",
          fix: "decode bytes first, or wrap a stream: `textChunks(stream)`.",
        });
      }
      for (const part of specialTokens.length > 0 ? text.split(special) : [text]) {
        const spans = split.spans(part);
        for (let i = 0; i < spans.length; i += 2) {
          const word = part.slice(spans[i], spans[i + 1]);
          words.set(word, (words.get(word) ?? 0) + 1);
        }
      }
    },
  };
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

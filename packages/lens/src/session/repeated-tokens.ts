import type { Checks } from "@qkv/core";
import { permutation } from "@qkv/tensor";
import type { LensModel } from "../lens-model.js";

type Tokenizer = NonNullable<LensModel["tokenizer"]>;

/** Shorter words are left out, or come last, as they are often pieces of other words. Unit: letters. */
const [fewestLetters, wordLength] = [3, 4];

/**
 * Random words, repeated once. Each is one token that includes the space before it. Words of four or more letters that are not a prefix of
 * another token are preferred: a prefix may be a piece of a word.
 */
export function repeatedTokens(
  check: Checks,
  tokenizer: Tokenizer,
  { vocabSize, length, seed }: { readonly vocabSize: number; readonly length: number; readonly seed: number },
): string {
  const encode = (text: string) => Array.from(tokenizer.encode(text, { addSpecialTokens: false }));
  const [before, start] = [encode("a"), "a".length];
  const tokens = Array.from({ length: vocabSize }, (_, id) => tokenizer.token(id) ?? "");
  const isPrefix = (token: string) =>
    tokens.some((other) => other.length > token.length && other.startsWith(token));
  const [whole, other] = [new Set<string>(), new Set<string>()];
  for (const id of permutation(vocabSize, { seed }).data) {
    if (whole.size === length) break;
    if (tokens[id] === "") continue;
    // Decoded after another word, so that the space is kept.
    const word = tokenizer.decode([...before, id]).slice(start);
    const letters = /^ (\p{L}+)$/u.exec(word)?.[1] ?? "";
    const count = [...letters].length;
    if (count < fewestLetters || encode(`a${word}`).join() !== [...before, id].join()) continue;
    const words = count < wordLength || isPrefix(tokens[id]!) ? other : whole;
    if (words.size < length) words.add(letters);
  }
  const words = [...whole, ...other].slice(0, length);
  check.each(
    { length: words.length },
    () => words.length === length,
    `a vocabulary with ${length} words of one token each`,
    "give a smaller `length`.",
  );
  // The first word, too, follows a space.
  return ` ${[...words, ...words].join(" ")}`;
}

import type { Checks } from "@qkv/core";
import { permutation } from "@qkv/tensor";
import type { LensModel } from "../lens-model.js";

type Tokenizer = NonNullable<LensModel["tokenizer"]>;

/** A text of random words, each one token, that occurs twice. */
export function repeatedTokens(
  check: Checks,
  tokenizer: Tokenizer,
  { vocabSize, length, seed }: { readonly vocabSize: number; readonly length: number; readonly seed: number },
): string {
  const count = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).length;
  const alone = count("a");
  const words: string[] = [];
  for (const id of permutation(vocabSize, { seed }).data) {
    if (words.length === length) break;
    if (tokenizer.token(id) === undefined) continue;
    const word = tokenizer.decode([id]).trim();
    // Pieces of words would join with their neighbors: a word has to be one token after a space.
    const isWord = /^\p{L}{2,}$/u.test(word) && !words.includes(word);
    if (isWord && count(`a ${word}`) === alone + 1) words.push(word);
  }
  check.each(
    { length: words.length },
    () => words.length === length,
    `a vocabulary with ${length} words of one token each`,
    "give a smaller `length`.",
  );
  // The first word, too, follows a space.
  return ` ${[...words, ...words].join(" ")}`;
}

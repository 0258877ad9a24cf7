import type { Checks } from "@qkv/core";
import { permutation } from "@qkv/tensor";
import type { LensModel } from "../lens-model.js";

type Tokenizer = NonNullable<LensModel["tokenizer"]>;

/** Shorter words are often pieces of other words. Unit: letters. */
const wordLength = 4;

/** Random words of one token each, repeated once. Words of four or more letters are preferred. */
export function repeatedTokens(
  check: Checks,
  tokenizer: Tokenizer,
  { vocabSize, length, seed }: { readonly vocabSize: number; readonly length: number; readonly seed: number },
): string {
  const count = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).length;
  const countOfA = count("a");
  const [long, short] = [new Set<string>(), new Set<string>()];
  for (const id of permutation(vocabSize, { seed }).data) {
    if (long.size === length) break;
    if (tokenizer.token(id) === undefined) continue;
    const word = tokenizer.decode([id]).trim();
    const words = [...word].length < wordLength ? short : long;
    if (words === short && short.size === length) continue;
    // A piece of a word could merge with its neighbors: the word has to be one token after a space.
    if (/^\p{L}{2,}$/u.test(word) && count(`a ${word}`) === countOfA + 1) words.add(word);
  }
  const words = [...long, ...short].slice(0, length);
  check.each(
    { length: words.length },
    () => words.length === length,
    `a vocabulary with ${length} words of one token each`,
    "give a smaller `length`.",
  );
  // The first word has a space before it too.
  return ` ${[...words, ...words].join(" ")}`;
}

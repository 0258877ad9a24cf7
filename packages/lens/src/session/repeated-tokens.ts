import type { Checks } from "@qkv/core";
import { permutation } from "@qkv/tensor";
import type { LensModel } from "../lens-model.js";

type Tokenizer = NonNullable<LensModel["tokenizer"]>;

/** Letters of a word that is no piece of others by its length. */
const wordLength = 4;

/** A text of random words, each one token, that occurs twice. Words of four letters and more come before shorter ones. */
export function repeatedTokens(
  check: Checks,
  tokenizer: Tokenizer,
  { vocabSize, length, seed }: { readonly vocabSize: number; readonly length: number; readonly seed: number },
): string {
  const count = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).length;
  const alone = count("a");
  const [long, short] = [new Set<string>(), new Set<string>()];
  for (const id of permutation(vocabSize, { seed }).data) {
    if (long.size === length) break;
    if (tokenizer.token(id) === undefined) continue;
    const word = tokenizer.decode([id]).trim();
    const words = [...word].length < wordLength ? short : long;
    if (words === short && short.size === length) continue;
    // Pieces of words would join with their neighbors: a word has to be one token after a space.
    if (/^\p{L}{2,}$/u.test(word) && count(`a ${word}`) === alone + 1) words.add(word);
  }
  const words = [...long, ...short].slice(0, length);
  check.each(
    { length: words.length },
    () => words.length === length,
    `a vocabulary with ${length} words of one token each`,
    "give a smaller `length`.",
  );
  // The first word, too, follows a space.
  return ` ${[...words, ...words].join(" ")}`;
}

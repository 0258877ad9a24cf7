// Texts that a tokenizer has not seen before, derived from a given one: the same seed gives the same text in every
// process.
import { numbers } from "./data.mjs";

/** From a text and a seed to a new text of about 100,000 characters. */
export const newTexts = {
  /** The same words in another order: each text is new, its words are not. */
  "new-order": (text, seed) => written(text, seed, (random, words) => words[random(words.length)]),
  /** Words from the first half of one and the second half of another: most of them are new. */
  "new-words": (text, seed) =>
    written(text, seed, (random, words) => {
      const [first, second] = [words[random(words.length)], words[random(words.length)]].map((word) => [
        ...word,
      ]);
      return [...first.slice(0, (first.length + 1) >> 1), ...second.slice(second.length >> 1)].join("");
    }),
};

const wanted = 100_000;

/** Words from `next`, with the separators of a window of the text. */
function written(text, seed, next) {
  const { words, gaps } = partsOf(text);
  const drawn = numbers(seed + 1, wanted);
  let count = 0;
  const random = (below) => Math.floor(((drawn[count++ % wanted] + 1) / 2) * below);
  const from = random(gaps.length);
  const out = [];
  for (let length = 0, i = 0; length < wanted; i++) {
    const piece = next(random, words) + gaps[(from + i) % gaps.length];
    out.push(piece);
    length += piece.length;
  }
  return out.join("");
}

const split = new Map();

/** Words (letters with combining marks), and the separators between them. */
function partsOf(text) {
  if (!split.has(text)) {
    const words = text.match(/[\p{L}\p{M}]+/gu);
    const gaps = text.split(/[\p{L}\p{M}]+/u).slice(1);
    split.set(text, { words, gaps });
  }
  return split.get(text);
}

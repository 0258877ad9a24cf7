// Training text for the page: sentences of a small grammar, a tenth of which are held out for validation.
const animals = ["cat", "dog", "owl", "fox", "hen", "goat"];
const verbs = ["sat", "slept", "sang", "hid", "ran", "stood"];
const places = [
  "on the mat",
  "by the river",
  "under the tree",
  "near the mill",
  "behind the barn",
  "in the hay",
];

/** All sentences of the grammar, in a fixed shuffled order. */
const sentences = animals.flatMap((_, a) =>
  verbs.flatMap((verb, v) =>
    places.map((place, p) => `the ${animals[(a + v + p) % animals.length]} ${verb} ${place}. `),
  ),
);

const isHeldBack = (_: string, i: number) => i % 10 === 7;
export const learned = sentences.filter((sentence, i) => !isHeldBack(sentence, i)).join("");
export const heldBack = sentences.filter(isHeldBack).join("");

const letters = [...new Set(learned)].sort();
export const vocabSize = letters.length;
/** A token per character. */
export const encode = (text: string): number[] => Array.from(text, (letter) => letters.indexOf(letter));
export const decode = (ids: readonly number[]): string => ids.map((id) => letters[id]).join("");

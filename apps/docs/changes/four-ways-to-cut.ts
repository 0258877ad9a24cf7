import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Split a longer word",
    set: { "your text": "antidisestablishmentarianism" },
    says: "One word, 28 characters, 27 tokens: the vocabulary contains almost none of its parts.",
    outcome: ({ readings }) =>
      numbersAfter(readings, "words: ")[0] === 1 &&
      numbersAfter(readings, "characters: ")[0] === 28 &&
      numbersAfter(readings, "tokens: ")[0] === 27,
  },
  {
    label: "Split a Greek sentence",
    set: { "your text": "Οι γάτες κάθονταν εκεί." },
    says: "As many tokens as bytes, and two bytes per letter: the vocabulary was trained only on English.",
    outcome: ({ readings }) =>
      numbersAfter(readings, "tokens: ")[0] === numbersAfter(readings, "bytes: ")[0] &&
      numbersAfter(readings, "bytes: ")[0]! > 1.7 * numbersAfter(readings, "characters: ")[0]!,
  },
] satisfies readonly Change[];

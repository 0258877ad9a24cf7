import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Cut a longer word",
    set: { "your text": "antidisestablishmentarianism" },
    says: "One word, 28 characters, 27 tokens: the vocabulary has learned almost none of its parts.",
    outcome: ({ readings }) =>
      numbersAfter(readings, "words: ")[0] === 1 &&
      numbersAfter(readings, "characters: ")[0] === 28 &&
      numbersAfter(readings, "tokens: ")[0] === 27,
  },
  {
    label: "Cut a sentence in Greek",
    set: { "your text": "Οι γάτες κάθονταν εκεί." },
    says: "As many tokens as bytes, and two bytes for each letter: the vocabulary has learned English alone.",
    outcome: ({ readings }) =>
      numbersAfter(readings, "tokens: ")[0] === numbersAfter(readings, "bytes: ")[0] &&
      numbersAfter(readings, "bytes: ")[0]! > 1.7 * numbersAfter(readings, "characters: ")[0]!,
  },
] satisfies readonly Change[];

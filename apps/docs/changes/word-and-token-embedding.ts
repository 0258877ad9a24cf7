import { type Change } from "../src/live/change";

export default [
  {
    label: "Embed a word that does not exist",
    set: { "a text to embed": "the flumpet" },
    says: "As a word, “flumpet” has no row. As tokens, it takes eight: one for the space and one for each letter.",
    outcome: ({ lines, readings }) =>
      lines[0] === "words without a row: 1 of 2" &&
      readings.filter((text) => text.includes(", row ")).length === 2 + 8,
  },
] satisfies readonly Change[];

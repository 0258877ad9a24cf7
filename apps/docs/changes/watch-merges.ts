import { type Change } from "../src/live/change";

export default [
  {
    label: "Learn 40 merges",
    set: { merges: 40 },
    says:
      "After 19 merges, nothing is left to merge: each of the nine words is one token. The vocabulary has memorized this text and " +
      "knows no other.",
    outcome: ({ lines, readings }) => lines.length === 19 && readings.at(-1) === "merges 19: 9",
  },
] satisfies readonly Change[];

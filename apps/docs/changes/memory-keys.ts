import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Lower the scores to −6",
    set: { "score of the memory keys": -6 },
    says: "Their weights are almost 0: what is left is attention over the tokens.",
    outcome: ({ lines }) => numbersAfter(lines, "the last token gives its memory ")[0]! < 0.01,
  },
] satisfies readonly Change[];

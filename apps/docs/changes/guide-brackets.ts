import { numbersAfter, type Change } from "../src/live/change";

const probability = (lines: readonly string[]) =>
  numbersAfter(lines, "probability that all are balanced:")[0]!;

export default [
  {
    label: "Balance them",
    set: { "up to 24 brackets": "((())())" },
    says: "Every bracket closes one that was open. “end” finds no place below zero, and the model is sure.",
    outcome: ({ lines }) => probability(lines) > 0.99,
  },
  {
    label: "Leave one open",
    set: { "up to 24 brackets": "((())(" },
    says: "Nothing was closed too early, so head 0 rests on “start”. The count alone refuses the row.",
    outcome: ({ lines }) => probability(lines) < 0.01,
  },
] satisfies readonly Change[];

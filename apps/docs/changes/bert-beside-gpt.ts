import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Hide the sound instead of the animal",
    edits: [{ find: "const gap = 1;", replace: "const gap = 2;" }],
    says:
      "Now what is needed stands in front of the gap, and GPT is certain that the cow moos. BERT only guesses, although it " +
      "sees the cow: in 600 steps it has learned this question in one direction and not in the other.",
    outcome: ({ lines }) => numbersAfter(lines, "GPT: ")[2]! > 0.9,
  },
] satisfies readonly Change[];

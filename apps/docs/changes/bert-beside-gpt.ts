import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Hide the sound instead of the animal",
    edits: [{ find: "const gap = 1;", replace: "const gap = 2;" }],
    says:
      "Now the clue comes before the gap, and GPT is certain that the cow moos. BERT only guesses, although it sees the cow: in " +
      "600 steps it has learned to name the animal from its sound, but not the sound from its animal.",
    outcome: ({ lines }) => numbersAfter(lines, "GPT: ")[2]! > 0.9,
  },
] satisfies readonly Change[];

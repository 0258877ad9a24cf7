import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Double the key of “cat”",
    edits: [{ find: "cat: [6, 0], mat", replace: "cat: [12, 0], mat" }],
    says:
      "“it” now receives almost only the animal. Doubling a score gives far more than twice the weight, because softmax is " +
      "exponential in the score.",
    outcome: ({ readings }) =>
      numbersAfter(readings, "animal: ")[0]! > 0.9 && numbersAfter(readings, "place: ")[0]! < 0.1,
  },
] satisfies readonly Change[];

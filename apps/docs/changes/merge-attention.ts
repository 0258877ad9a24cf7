import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Make it two parts",
    edits: [{ find: "const ends = [0, cut, 70, 100];", replace: "const ends = [0, cut, 100];" }],
    says: "Two shares, and the same output.",
    outcome: ({ lines, readings }) =>
      readings.length === 3 && numbersAfter(lines, "merged and whole differ by ")[0]! < 1e-6,
  },
] satisfies readonly Change[];

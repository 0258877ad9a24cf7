import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Use two parts",
    edits: [{ find: "const ends = [0, cut, 70, 100];", replace: "const ends = [0, cut, 100];" }],
    says: "There are two shares, and the output is the same.",
    outcome: ({ lines, readings }) =>
      readings.length === 3 && numbersAfter(lines, "merged and whole differ by ")[0]! < 1e-6,
  },
] satisfies readonly Change[];

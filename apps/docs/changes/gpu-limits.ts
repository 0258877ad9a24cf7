import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Take 8 queries at a time",
    edits: [{ find: "[T, D, chunk] = [96, 16, 32]", replace: "[T, D, chunk] = [96, 16, 8]" }],
    says: "Twelve chunks instead of three, and a twelfth of all scores at a time. The result is the same.",
    outcome: ({ lines }) =>
      lines.includes("in 12 chunks: 768 scores per head at a time, instead of 9,216") &&
      numbersAfter(lines, "largest difference: ")[0]! < 1e-5,
  },
] satisfies readonly Change[];

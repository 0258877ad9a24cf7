import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Take 8 queries at a time",
    edits: [{ find: "[T, D, piece] = [96, 16, 32]", replace: "[T, D, piece] = [96, 16, 8]" }],
    says: "Twelve pieces instead of three, and a twelfth of the scores at once. The result is the same.",
    outcome: ({ lines }) =>
      lines.includes("in 12 pieces: 768 scores per head at once, instead of 9,216") &&
      numbersAfter(lines, "largest difference: ")[0]! < 1e-5,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Keep the last 512 tokens as floats",
    edits: [
      {
        find: "quantizedCache({ groupSize })",
        replace: "quantizedCache({ groupSize, residualLength: 512 })",
      },
    ],
    says: "Nothing is rounded, and nothing is saved.",
    outcome: ({ lines, readings }) =>
      numbersAfter(lines, "largest difference in the output: ")[0] === 0 &&
      numbersAfter(readings, "int8: ")[0]! >= numbersAfter(readings, "float32: ")[0]!,
  },
] satisfies readonly Change[];

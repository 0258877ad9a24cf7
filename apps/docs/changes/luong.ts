import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Let attention keep its own scale",
    edits: [{ find: ", { scale: 1 }", replace: "" }],
    says: "They differ: attention divides the scores by √D unless you set a scale, and Luong’s dot product does not.",
    outcome: ({ lines, checks }) =>
      numbersAfter(lines, "dot and attention differ by ")[0]! > 0.01 &&
      checks["dot is attention with scale 1"] === false,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Add a fourth head",
    edits: [
      { find: "const H = 3;", replace: "const H = 4;" },
      { find: "numHeads: H }", replace: "numHeads: H, headDim: 8 }" },
    ],
    says: "No head is idle. Two of them share the answer “first”: without one of the two, only a part of it is lost.",
    outcome: ({ readings, lines }) =>
      readings.filter((text) => text.startsWith("error without head ")).length === 4 &&
      numbersAfter(lines, "error with all heads: ").every((error) => error < 0.05),
  },
] satisfies readonly Change[];

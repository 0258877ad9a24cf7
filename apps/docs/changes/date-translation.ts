import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Use Luong’s dot product",
    edits: [
      { find: "import { additive }", replace: "import { luongGeneral }" },
      {
        find: "additive({ queryDim: F, keyDim: F, hiddenDim: F })",
        replace: "luongGeneral({ queryDim: F, keyDim: F })",
      },
      {
        find: 'queryState: "previous", // as Bahdanau did',
        replace: 'queryState: "current", // as Luong did',
      },
    ],
    says:
      "Most dates are right here too, and a step takes less time. The state first takes in the letter before; then it asks, by " +
      "a dot product with one matrix.",
    outcome: ({ lines }) => numbersAfter(lines.slice(-1), "")[0]! >= 25,
  },
] satisfies readonly Change[];

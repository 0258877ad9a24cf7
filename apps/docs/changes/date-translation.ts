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
      "Most dates are correct here too, and a step takes less time. The decoder first updates its state with the previous " +
      "letter, then scores with one matrix and a dot product.",
    outcome: ({ lines }) => numbersAfter(lines.slice(-1), "")[0]! >= 25,
  },
] satisfies readonly Change[];

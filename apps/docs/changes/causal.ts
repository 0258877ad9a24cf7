import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Decode two queries",
    edits: [
      { find: "slice(x, 2, 7, 8); // [1, 1, 1, 4]", replace: "slice(x, 2, 6, 8); // [1, 1, 2, 4]" },
      { find: "{ mask }).data.slice(-4)", replace: "{ mask }).data.slice(-8)" },
    ],
    says: "Two rows at once. They equal the last two rows from reading the whole text.",
    outcome: ({ lines }) => {
      const step = numbersAfter(lines, "last row, decoding one token: ");
      return (
        step.length === 8 && step.join() === numbersAfter(lines, "last row, reading the whole text: ").join()
      );
    },
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Learn the next token instead",
    edits: [
      {
        find: "slice(value, 2, 0, 8); // for the queries 2 to 9",
        replace: "slice(value, 2, 3, 10); // for the queries 2 to 8",
      },
      { find: "slice(output, 2, 2, 10)", replace: "slice(output, 2, 2, 9)" },
    ],
    says: "Now the bias for one token ahead is the largest.",
    outcome: ({ lines }) => {
      const table = numbersAfter(lines, "3 or more back, 2, 1, itself, 1, 2, 3 or more ahead: ");
      return table.indexOf(Math.max(...table)) === 4;
    },
  },
] satisfies readonly Change[];

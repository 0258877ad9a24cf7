import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Ask for the same position twice",
    edits: [{ find: "offsets: [1, 2]", replace: "offsets: [1, 1]" }],
    says:
      "One head is enough: its error goes to zero for both answers. A single head can give two answers; it cannot look at two " +
      "positions.",
    outcome: ({ lines }) => numbersAfter(lines, "one head ").every((error) => error < 0.05),
  },
] satisfies readonly Change[];

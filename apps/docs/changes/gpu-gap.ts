import { numbersIn, type Change } from "../src/live/change";

export default [
  {
    label: "Use heads of 16 numbers",
    edits: [{ find: "[H, D] = [4, 64]", replace: "[H, D] = [4, 16]" }],
    says:
      "The inputs shrink to a quarter, but there are as many scores as before. So 11 times as many bytes move as with tiles, " +
      "instead of 3.5 times.",
    outcome: ({ lines }) => numbersIn(lines.at(-1)!).at(-1) === 11,
  },
] satisfies readonly Change[];

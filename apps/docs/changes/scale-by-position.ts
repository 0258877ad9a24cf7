import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Leave the temperature",
    set: { attnScale: 0 },
    says: "The factor is 1 at every position, and the largest weight fades with the length of the context.",
    outcome: ({ lines }) => numbersAfter(lines, "after 4096 tokens: factor ")[0] === 1,
  },
] satisfies readonly Change[];

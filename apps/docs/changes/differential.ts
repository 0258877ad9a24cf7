import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Subtract nothing",
    set: { lambda: 0 },
    says: "With λ = 0 the first map is left: an ordinary softmax, whose rows sum to 1.",
    outcome: ({ lines }) => numbersAfter(lines, "rows sum to ").every((sum) => Math.abs(sum - 1) < 1e-3),
  },
] satisfies readonly Change[];

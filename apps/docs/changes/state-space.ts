import type { Change } from "../src/live/change";

export default [
  {
    label: "Let the state keep everything",
    edits: [{ find: "A: tensor([-1])", replace: "A: tensor([0])" }],
    says: "With A = 0 nothing decays: every row has equal weights, and this is linear attention.",
    outcome: ({ checks }) => checks["it is exp(Δ A)"] === false,
  },
] satisfies readonly Change[];

import type { Change } from "../src/live/change";

export default [
  {
    label: "Keep the three best scores",
    edits: [{ find: "topKScores(2)", replace: "topKScores(3)" }],
    says: "Three keys of the last query have a weight now.",
    outcome: ({ checks }) => checks["two keys are left"] === false,
  },
] satisfies readonly Change[];

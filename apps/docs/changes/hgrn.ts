import type { Change } from "../src/live/change";

export default [
  {
    label: "Keep everything",
    edits: [{ find: "Math.log(kept)", replace: "0 * kept" }],
    says: "Without decay the state is the number of tokens.",
    outcome: ({ checks }) => checks["the state does not grow with every token"] === false,
  },
] satisfies readonly Change[];

import type { Change } from "../src/live/change";

export default [
  {
    label: "End a sentence at every second token",
    edits: [{ find: "token % 3 === 2", replace: "token % 2 === 1" }],
    says: "Now the first token is six sentences away.",
    outcome: ({ checks }) => checks["the first token is 4 sentences away"] === false,
  },
] satisfies readonly Change[];

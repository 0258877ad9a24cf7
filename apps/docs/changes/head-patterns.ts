import { type Change } from "../src/live/change";

export default [
  {
    label: "End the text with “mat”",
    edits: [{ find: 'and the cat sat".split', replace: 'and the cat mat".split' }],
    says: "The induction head still finds a match: the last time “mat” occurred, “and” followed.",
    outcome: ({ readings }, before) =>
      readings.includes("query “mat”, key “and”: 1") && before.readings.includes("query “sat”, key “on”: 1"),
  },
] satisfies readonly Change[];

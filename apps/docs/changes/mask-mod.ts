import { type Change } from "../src/live/change";

export default [
  {
    label: "Show only even keys",
    edits: [{ find: "(query - key) % 3 === 0", replace: "key % 2 === 0" }],
    says: "The second head sees every other column.",
    outcome: ({ readings }) => readings.some((text) => /query 8, key 7: masked/.test(text)),
  },
] satisfies readonly Change[];

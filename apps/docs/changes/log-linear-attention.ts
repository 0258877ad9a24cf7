import { type Change } from "../src/live/change";

export default [
  {
    label: "Give all levels the same weight",
    edits: [{ find: "[1, 0.8, 0.6, 0.4, 0.2]", replace: "[1, 1, 1, 1, 1]" }],
    says: "All earlier tokens weigh the same: this is linear attention.",
    outcome: ({ lines }) => lines.includes(`weights of query 13: ${Array<string>(14).fill("1.0").join(" ")}`),
  },
] satisfies readonly Change[];

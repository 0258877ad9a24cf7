import { type Change } from "../src/live/change";

export default [
  {
    label: "Use one query",
    edits: [{ find: "randn([1, 3, 4], { seed: 3 })", replace: "randn([1, 1, 4], { seed: 3 })" }],
    says: "One row: a decoder writes one word at a time, with one query for each.",
    outcome: ({ readings }) => readings.filter((text) => text.startsWith("query ")).length === 5,
  },
] satisfies readonly Change[];

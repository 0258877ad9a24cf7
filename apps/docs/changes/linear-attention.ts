import type { Change } from "../src/live/change";

export default [
  {
    label: "Do not normalize",
    edits: [{ find: "linearAttention({ normalize: true })", replace: "linearAttention()" }],
    says: "The weights are the plain products of query and key, and their sum is no longer 1.",
    outcome: ({ checks }) => checks["the weights of the last row sum to 1"] === false,
  },
] satisfies readonly Change[];

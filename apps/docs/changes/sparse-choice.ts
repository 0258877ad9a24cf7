import type { Change } from "../src/live/change";

export default [
  {
    label: "Choose among all blocks",
    edits: [
      { find: "{ blockSize, topK })", replace: "{ blockSize, topK: 5 })" },
      { find: "19 * topK", replace: "19 * 5" },
    ],
    says: "Five blocks are all there are: full causal attention.",
    outcome: ({ checks }) => checks["it reads 8 keys"] === false,
  },
] satisfies readonly Change[];

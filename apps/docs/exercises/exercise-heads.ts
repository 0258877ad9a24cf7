import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The size of a head is 48 divided by the number of heads. It must be even and at most 8.",
  solution: [{ find: "numHeads = 3", replace: "numHeads = 6" }],
  because:
    "Six heads of 8 numbers. Twelve heads of 4 or 24 of 2 also work: the number of weights is always the same.",
  next: {
    task: "Now the embedding has 60 numbers.",
    edits: [
      { find: "embedDim: 48", replace: "embedDim: 60" },
      { find: "[1, 4, 48]", replace: "[1, 4, 60]" },
      { find: "4 * 48 * 48", replace: "4 * 60 * 60" },
    ],
    solution: [{ find: "numHeads = 3", replace: "numHeads = 10" }],
  },
} satisfies Exercise;

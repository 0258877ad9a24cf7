import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The cache is proportional to the number of key-value heads. Halve it until it fits.",
  solution: [{ find: "numKvHeads = 32", replace: "numKvHeads = 8" }],
  because: "Eight key-value heads take 4.29 GB; sixteen would take 8.59 GB.",
  next: {
    task: "Now there are eight users and the same 6 GB.",
    edits: [
      { find: "batchSize: 4", replace: "batchSize: 8" },
      { find: '"GB for 4 users', replace: '"GB for 8 users' },
      { find: "the caches of all four fit", replace: "the caches of all eight fit" },
    ],
    solution: [{ find: "numKvHeads = 32", replace: "numKvHeads = 4" }],
  },
} satisfies Exercise;

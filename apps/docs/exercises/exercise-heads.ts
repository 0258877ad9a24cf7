import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The width is shared out: 48 divided by the number of heads is the size of a head. It must be even, and 8 at most.",
  solution: [{ find: "numHeads = 3", replace: "numHeads = 6" }],
  because:
    "Six heads of 8 numbers. Twelve of 4 and 24 of 2 would do, too: the number of weights does not depend on it.",
  next: {
    task: "Now the width is 60.",
    edits: [
      { find: "embedDim: 48", replace: "embedDim: 60" },
      { find: "[1, 4, 48]", replace: "[1, 4, 60]" },
      { find: "4 * 48 * 48", replace: "4 * 60 * 60" },
    ],
    solution: [{ find: "numHeads = 3", replace: "numHeads = 10" }],
  },
} satisfies Exercise;

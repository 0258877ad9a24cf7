import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The query of “it” is [1, 0]: its score is the first number of each key. Which key needs a larger first number?",
  solution: [{ find: "cat: [6, 0]", replace: "cat: [9, 0]" }],
  because:
    "The score of “cat” grew by half, and its weight is now eight times that of “mat”: softmax is exponential.",
  next: {
    task: "Do the same without making any key larger.",
    edits: [
      {
        find: 'check("“it” receives more than 0.80 animal", animal > 0.8);',
        replace:
          'check("“it” receives more than 0.80 animal", animal > 0.8);\ncheck("no key is larger than before", Math.max(...key.data) <= 6);',
      },
    ],
    solution: [{ find: "mat: [6, 0]", replace: "mat: [1, 0]" }],
  },
} satisfies Exercise;

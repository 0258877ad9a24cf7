import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The output is the sum of weight × value. Which value must be 1, and which 0, so that only one weight remains?",
  solution: [{ find: "[0, 0, 0, 0, 0, 0]", replace: "[0, 1, 0, 0, 0, 0]" }],
  because: "A 1 for “cat” and 0 for every other word picks its weight out of each row.",
  next: {
    task: "Now make each word receive the weight that it gives to the cat and the mat together.",
    edits: [
      {
        find: "const holds = (i: number) => Math.abs(data[i]! - weights[i * 6 + cat]!) < 1e-6;",
        replace:
          'const mat = words.indexOf("mat");\nconst holds = (i: number) =>\n  Math.abs(data[i]! - weights[i * 6 + cat]! - weights[i * 6 + mat]!) < 1e-6;',
      },
      { find: 'that it gives to the cat"', replace: 'that it gives to the cat and the mat"' },
    ],
    solution: [{ find: "[0, 0, 0, 0, 0, 0]", replace: "[0, 1, 0, 0, 0, 1]" }],
  },
} satisfies Exercise;

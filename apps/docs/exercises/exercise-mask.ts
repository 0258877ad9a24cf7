import type { Exercise } from "../src/live/exercise";

export default {
  hint: "“The window, or the first token” is an or(…). The first token alone is keepFirst(1), but that lets token 0 be seen by everybody: does it need a causal()?",
  solution: [
    { find: "or(causal(), slidingWindow(3))", replace: "or(slidingWindow(3), and(causal(), keepFirst(1)))" },
  ],
  because: "The window hides the future by itself; what is added to it has to be causal, too.",
  next: {
    task: "Now token 9 sees itself, the token before it and the first two tokens.",
    edits: [
      {
        find: 'check(\n  "token 9 sees itself and the two before it",\n  [7, 8, 9].every((key) => sees(9, key)),\n);\ncheck(\n  "and the first token, which holds what others have no use for",\n  sees(9, 0),\n);\ncheck(\n  "and nothing else",\n  [1, 2, 3, 4, 5, 6].every((key) => !sees(9, key)),\n);',
        replace:
          'check("token 9 sees itself and the one before it", sees(9, 8) && sees(9, 9));\ncheck("and the first two tokens", sees(9, 0) && sees(9, 1));\ncheck(\n  "and nothing else",\n  [2, 3, 4, 5, 6, 7].every((key) => !sees(9, key)),\n);',
      },
    ],
    solution: [
      {
        find: "or(causal(), slidingWindow(3))",
        replace: "or(slidingWindow(2), and(causal(), keepFirst(2)))",
      },
    ],
  },
} satisfies Exercise;

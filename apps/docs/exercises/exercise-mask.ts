import type { Exercise } from "../src/live/exercise";

export default {
  hint: "“The window, or the first token” is an or(…). keepFirst(1) is the first token, but it does not check the order of tokens. Does it need a causal()?",
  solution: [
    { find: "or(causal(), slidingWindow(3))", replace: "or(slidingWindow(3), and(causal(), keepFirst(1)))" },
  ],
  because: "A sliding window already hides later tokens. Whatever you add with or(…) has to be causal too.",
  next: {
    task: "Now make token 9 see itself, the token before it and the first two tokens.",
    edits: [
      {
        find: 'check(\n  "token 9 sees itself and the two tokens before it",\n  [7, 8, 9].every((key) => sees(9, key)),\n);\ncheck("it sees the first token, the attention sink", sees(9, 0));\ncheck(\n  "it sees nothing else",\n  [1, 2, 3, 4, 5, 6].every((key) => !sees(9, key)),\n);',
        replace:
          'check("token 9 sees itself and the token before it", sees(9, 8) && sees(9, 9));\ncheck("it sees the first two tokens", sees(9, 0) && sees(9, 1));\ncheck(\n  "it sees nothing else",\n  [2, 3, 4, 5, 6, 7].every((key) => !sees(9, key)),\n);',
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

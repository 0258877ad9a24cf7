import type { Exercise } from "../src/live/exercise";

export default {
  hint: "The gradient of a matrix comes from the layers after it. If both heads also have equal outputs, their gradients are equal. Which name can you remove?",
  solution: [{ find: '["query", "key", "value", "output"];', replace: '["query", "key", "value"];' }],
  because: "Different output columns give the two heads different gradients in all three matrices.",
  next: {
    task: "Now start with equal queries, keys and outputs, and let the first step separate queries and keys.",
    edits: [
      {
        find: '  "the heads start with equal queries, keys and values",\n  same(params, "query") && same(params, "key") && same(params, "value"),',
        replace:
          '  "the heads start with equal queries, keys and outputs",\n  same(params, "query") && same(params, "key") && same(params, "output"),',
      },
      {
        find: '  "the first step separates all three",\n  !same(step, "query") && !same(step, "key") && !same(step, "value"),',
        replace:
          '  "the first step separates queries and keys",\n  !same(step, "query") && !same(step, "key"),',
      },
    ],
    solution: [{ find: '["query", "key", "value", "output"];', replace: '["query", "key", "output"];' }],
  },
} satisfies Exercise;

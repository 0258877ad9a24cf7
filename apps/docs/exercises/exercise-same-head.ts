import type { Exercise } from "../src/live/exercise";

export default {
  hint: "A map learns from what stands behind it. If even the output is the same for both heads, their gradients are. Which name may go?",
  solution: [{ find: '["query", "key", "value", "output"];', replace: '["query", "key", "value"];' }],
  because: "Different output columns give the two heads different gradients in all three maps.",
  next: {
    task: "Now queries, keys and outputs begin alike, and the first step takes queries and keys apart.",
    edits: [
      {
        find: '  "the heads begin with the same queries, keys and values",\n  same(params, "query") && same(params, "key") && same(params, "value"),',
        replace:
          '  "the heads begin with the same queries, keys and outputs",\n  same(params, "query") && same(params, "key") && same(params, "output"),',
      },
      {
        find: '  "and the first step takes them apart, in all three",\n  !same(step, "query") && !same(step, "key") && !same(step, "value"),',
        replace:
          '  "and the first step takes queries and keys apart",\n  !same(step, "query") && !same(step, "key"),',
      },
    ],
    solution: [{ find: '["query", "key", "value", "output"];', replace: '["query", "key", "output"];' }],
  },
} satisfies Exercise;

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Start with only the queries alike",
    edits: [{ find: '"output random": 3', replace: '"query alike": 1' }],
    says: "Eight distinct heads, and an error as small as with all weights random: different keys are enough to separate the heads.",
    outcome: ({ lines }) => {
      const [distinct, , error] = numbersAfter(lines, "query alike: ");
      return distinct === 8 && error! < 0.2;
    },
  },
  {
    label: "Start with only the values random",
    edits: [
      { find: '"output random": 3', replace: '"value random": 3' },
      {
        find: '["query", "key", "value", "output"] as const',
        replace: '["query", "key", "output", "value"] as const',
      },
    ],
    says: "Eight distinct heads again. One random matrix is enough: each head has its own gradient from the first step.",
    outcome: ({ lines }) => {
      const [distinct, , error] = numbersAfter(lines, "value random: ");
      return distinct === 8 && error! < 0.3;
    },
  },
] satisfies readonly Change[];

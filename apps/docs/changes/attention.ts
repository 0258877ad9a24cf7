import { numbersIn, type Change } from "../src/live/change";

export default [
  {
    label: "Multiply the scores by 10",
    edits: [
      {
        find: "tracedAttention(query, key, value, {}, [",
        replace: "tracedAttention(query, key, value, { scale: 10 }, [",
      },
    ],
    says: "Each row now puts nearly all of its weight on one key.",
    outcome: ({ readings }) =>
      readings.filter((text) => text.startsWith("query") && numbersIn(text).at(-1)! > 0.9).length >= 8,
  },
] satisfies readonly Change[];

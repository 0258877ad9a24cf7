import { type Change } from "../src/live/change";

export default [
  {
    label: "Set the second head’s scores to 0",
    edits: [
      {
        find: "  score.sub(at.query.sub(at.key).mul(penalty)),\n);\nshow",
        replace: "  at.head.equal(0).where(score, score.mul(0)),\n);\nshow",
      },
    ],
    says: "The first head works as without a penalty. The second gives the same weight to every token that it sees.",
    outcome: ({ readings }) => readings.filter((text) => /query 7, key \d: 0.125$/.test(text)).length === 8,
  },
] satisfies readonly Change[];

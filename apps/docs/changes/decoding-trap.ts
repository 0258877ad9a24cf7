import { type Change } from "../src/live/change";

const unread = (readings: readonly string[]) =>
  readings.filter((text) => text.includes("sees nothing, never read")).length;

export default [
  {
    label: "Align the mask bottom-right",
    set: { "the mask is aligned": "bottom-right" },
    says:
      "The new token sees all twelve, and receives the very number that reading the text at once gives. Queries are the " +
      "last of the positions.",
    outcome: ({ lines, readings }) =>
      lines.includes("the same") && !readings.includes("query 0, key 11: masked"),
  },
  {
    label: "Use a sliding window of 4",
    edits: [
      {
        find: "import { attention, attentionWeights, causal }",
        replace: "import { attention, attentionWeights, causal, slidingWindow }",
      },
      { find: "const { sees } = causal()", replace: "const { sees } = slidingWindow(4)" },
    ],
    says:
      "Four of the nine tiles are never read, one more than before: what lies further back than the window is skipped as " +
      "the future is.",
    outcome: ({ readings }, before) => unread(readings) === 4 && unread(before.readings) === 3,
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

const unread = (readings: readonly string[]) =>
  readings.filter((text) => text.includes("sees nothing, never read")).length;

export default [
  {
    label: "Align the mask bottom-right",
    set: { "align the mask": "bottom-right" },
    says:
      "The new token sees all twelve tokens, and decoding gives exactly the number that reading the whole text gives. The " +
      "queries are the last positions.",
    outcome: ({ lines, readings }) =>
      lines.includes("The results are equal.") && !readings.includes("query 0, key 11: masked"),
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
      "Four of the nine tiles are never read, one more than before. Tokens that are further back than the window are skipped, " +
      "just like future tokens.",
    outcome: ({ readings }, before) => unread(readings) === 4 && unread(before.readings) === 3,
  },
] satisfies readonly Change[];

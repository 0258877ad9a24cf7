import { type Change } from "../src/live/change";

const unread = (readings: readonly string[]) =>
  readings.filter((text) => text.includes("sees nothing, never read")).length;

export default [
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

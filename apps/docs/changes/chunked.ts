import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Compare with a sliding window",
    edits: [
      { find: "  chunked,\n  documents,\n}", replace: "  chunked,\n  documents,\n  slidingWindow,\n}" },
      {
        find: "attentionMap(attentionWeights(x, x, { mask: chunked(size) }))",
        replace: "attentionMap(attentionWeights(x, x, { mask: slidingWindow(size) }))",
      },
    ],
    says: "With a window, every token sees the three tokens before it. With chunks, only the last token of a chunk does, and the first one sees no earlier token.",
    outcome: ({ readings }, before) =>
      masked(readings) < masked(before.readings) &&
      !readings.includes("query 4, key 3: masked") &&
      before.readings.includes("query 4, key 3: masked"),
  },
] satisfies readonly Change[];

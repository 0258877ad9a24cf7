import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Make the whole text the prefix",
    set: { "prefix, in tokens": 10 },
    says: "Every token sees every other: this is attention without a mask.",
    outcome: ({ readings }) => masked(readings) === 0,
  },
] satisfies readonly Change[];

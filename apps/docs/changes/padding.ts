import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Leave no real tokens",
    set: { "real tokens in the second sequence": 0 },
    says: "A sequence without tokens gives zeros, not NaN.",
    outcome: ({ readings }, before) => masked(readings) > masked(before.readings),
  },
] satisfies readonly Change[];

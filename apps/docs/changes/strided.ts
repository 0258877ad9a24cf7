import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Set the stride to 1",
    set: { "stride, in tokens": 1 },
    says: "This is the causal mask: every distance is a multiple of 1.",
    outcome: ({ readings }) => masked(readings) === 120,
  },
  {
    label: "Set the stride to 16",
    set: { "stride, in tokens": 16 },
    says: "The causal mask again, for the opposite reason: the local window of 16 tokens covers the whole text.",
    outcome: ({ readings }) => masked(readings) === 120,
  },
] satisfies readonly Change[];

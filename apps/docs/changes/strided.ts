import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Stride 1",
    set: { "stride, in tokens": 1 },
    says: "This is the causal mask: every earlier token is a multiple of one away.",
    outcome: ({ readings }) => masked(readings) === 120,
  },
  {
    label: "Stride 16",
    set: { "stride, in tokens": 16 },
    says: "The causal mask again, for the opposite reason: the local window of 16 tokens covers all of the text.",
    outcome: ({ readings }) => masked(readings) === 120,
  },
] satisfies readonly Change[];

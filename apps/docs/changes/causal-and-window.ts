import { numbersAfter, type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Widen the window to 12 tokens",
    set: { "window, in tokens": 12 },
    says: "“it” sees the cat again and receives equal shares of both values.",
    outcome: ({ lines }) => {
      const [animal, place] = numbersAfter(lines, "“it” receives ");
      return animal === place && animal! > 0.4;
    },
  },
  {
    label: "Switch off the causal mask",
    set: { "causal mask": "off" },
    says: "No cell is hatched: “sat” looks at the mat, which comes after it.",
    outcome: ({ readings }) =>
      masked(readings) === 0 && readings.some((text) => text.startsWith("query “sat”, key “mat”: 0.")),
  },
] satisfies readonly Change[];

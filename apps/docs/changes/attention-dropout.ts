import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Drop 90%",
    set: { "rate, in percent": 90 },
    says: "Single outputs are far from 1, but their mean is still close to it.",
    outcome: ({ lines, readings }) =>
      Math.abs(numbersAfter(lines, "mean over 200 seeds: ")[0]! - 1) < 0.35 && readings.length > 0,
  },
] satisfies readonly Change[];

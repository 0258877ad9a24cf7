import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Lower the base to 10",
    set: { base: "10" },
    says: "All pairs rotate fast: even the slowest rotates by 0.13 radians per position, 400 times as fast as before.",
    outcome: ({ readings }) => numbersAfter(readings, "pair 7 turns ")[0]! > 0.13,
  },
  {
    label: "Raise the base to 1,000,000",
    set: { base: "1,000,000" },
    says: "Most pairs hardly rotate: the slowest by 0.000006 radians per position. Models for long texts use large bases.",
    outcome: ({ readings }) => numbersAfter(readings, "pair 7 turns ")[0]! < 0.000006,
  },
] satisfies readonly Change[];

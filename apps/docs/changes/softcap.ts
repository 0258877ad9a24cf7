import { numbersIn, type Change } from "../src/live/change";

export default [
  {
    label: "Set the cap to 1",
    set: { softcap: 1 },
    says: "Nearly every score becomes −1 or 1: no key can win by much, and the keys can hardly be ranked.",
    outcome: ({ readings }) =>
      readings.filter((text) => text.startsWith("capped") && Math.abs(numbersIn(text).at(-1)!) > 0.9).length >
      90,
  },
] satisfies readonly Change[];

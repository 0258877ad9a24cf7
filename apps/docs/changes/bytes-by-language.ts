import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Train on all seven languages",
    edits: [{ find: "`${texts.English} They are", replace: '`${Object.values(texts).join(" ")} They are' }],
    says:
      "The other languages now need 1.5 to 4 times the tokens of English, instead of 4 to 18 times. English needs 22 tokens " +
      "instead of 13, because all seven share one vocabulary.",
    outcome: ({ readings, checks }, before) =>
      Object.values(checks).every((holds) => !holds) &&
      numbersAfter(before.readings.slice(8), "English: ")[0] === 13 &&
      numbersAfter(readings.slice(8), "English: ")[0] === 22,
  },
] satisfies readonly Change[];

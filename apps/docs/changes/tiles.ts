import { type Change } from "../src/live/change";

export default [
  {
    label: "Multiply the scores by 500",
    edits: [{ find: "5 * score)", replace: "500 * score)" }],
    says: "The plain sum of powers overflows, and its result is not a number. The tiles still have the answer, because they subtract the largest score first.",
    outcome: ({ lines, checks }) =>
      lines[0]!.endsWith("whole NaN") &&
      !lines[0]!.startsWith("in tiles NaN") &&
      checks["tiles agree with the whole"] === false,
  },
] satisfies readonly Change[];

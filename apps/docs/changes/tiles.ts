import { type Change } from "../src/live/change";

export default [
  {
    label: "Multiply the scores by 500",
    edits: [{ find: "5 * score)", replace: "500 * score)" }],
    says: "The plain sum of exponentials overflows, and its result is NaN. The tiles still give the answer, because they subtract the largest score first.",
    outcome: ({ lines, checks }) =>
      lines[0]!.endsWith("whole row: NaN") &&
      !lines[0]!.startsWith("in tiles: NaN") &&
      checks["the tiles agree with the whole row"] === false,
  },
] satisfies readonly Change[];

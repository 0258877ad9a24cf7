import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Use 16 heads of one number each",
    edits: [{ find: "[C, H] = [16, 4]", replace: "[C, H] = [16, 16]" }],
    says:
      "(a) and (b) still agree in every bit, for any number of heads. (c) differs more, because each head now sees only one " +
      "number of the embedding.",
    outcome: ({ lines }, before) =>
      numbersAfter(lines, "(a) and (b) differ by ")[0] === 0 &&
      numbersAfter(lines, "(a) and (c) differ by ")[0]! >
        numbersAfter(before.lines, "(a) and (c) differ by ")[0]!,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

const probability = (lines: readonly string[]) => numbersAfter(lines, "probability of a palindrome:")[0]!;

export default [
  {
    label: "Change one digit",
    set: { "twelve digits": "271828828162" },
    says: "The second digit and its mirror image no longer look at each other. One pair is enough: no palindrome.",
    outcome: ({ lines }, before) => probability(before.lines) > 0.99 && probability(lines) < 0.01,
  },
] satisfies readonly Change[];

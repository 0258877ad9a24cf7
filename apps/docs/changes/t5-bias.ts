import { numbersAfter, type Change } from "../src/live/change";

const buckets = (lines: readonly string[]) => numbersAfter(lines, "buckets for 0, 1, 2 … 20 tokens back: ");

export default [
  {
    label: "Do not look ahead",
    edits: [{ find: "t5Bias(numbers) }", replace: "t5Bias(numbers, { bidirectional: false }) }" }],
    says: "All keys after the query share bucket 0, and earlier keys have twice as many buckets: the first 16 distances have one each, instead of the first 8.",
    outcome: ({ lines }, before) =>
      new Set(buckets(lines)).size > new Set(buckets(before.lines)).size && buckets(lines)[15] === 15,
  },
] satisfies readonly Change[];

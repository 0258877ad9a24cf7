import { numbersAfter, type Change } from "../src/live/change";

const saved = (lines: readonly string[]) => {
  const [each, once] = numbersAfter(lines, "operations per step, projecting every time and only once: ");
  return each! - once!;
};

export default [
  {
    label: "Read a source of 70 tokens",
    edits: [{ find: "randn([1, 7, 6]", replace: "randn([1, 70, 6]" }],
    says: "Projecting the source every time now costs ten times as many extra operations: the longer the source, the more projecting once saves.",
    outcome: ({ lines }, before) => saved(lines) === 10 * saved(before.lines),
  },
] satisfies readonly Change[];

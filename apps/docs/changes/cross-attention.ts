import { numbersAfter, type Change } from "../src/live/change";

const saved = (lines: readonly string[]) => {
  const [each, once] = numbersAfter(lines, "operations of a step, projecting each time and once: ");
  return each! - once!;
};

export default [
  {
    label: "Read a source of 70 tokens",
    edits: [{ find: "randn([1, 7, 6]", replace: "randn([1, 70, 6]" }],
    says: "Projecting the source each time now costs ten times as many additional operations: what is saved by projecting once grows with the source.",
    outcome: ({ lines }, before) => saved(lines) === 10 * saved(before.lines),
  },
] satisfies readonly Change[];

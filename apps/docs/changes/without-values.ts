import { numbersAfter, numbersIn, type Change } from "../src/live/change";

export default [
  {
    label: "Use 16 numbers per vector",
    set: { "numbers in Q, K and V": 16 },
    says: "With 16 numbers there is room for a position and a letter. All four learn the task, and V = K and V = Q need fewer weights.",
    outcome: ({ lines }) => lines.length === 4 && lines.every((line) => numbersIn(line).at(-1)! < 0.05),
  },
  {
    label: "Use K + Q as the value",
    edits: [
      { find: "import { linear, mean", replace: "import { add, linear, mean" },
      {
        find: '"V = Q": (p, x) => linear(x, p.query)',
        replace: '"V = K + Q": (p, x) => linear(x, add(p.key, p.query))',
      },
    ],
    says: "V = K + Q learns the task with 8 numbers, where V = K and V = Q do not. It has no more weights than they do.",
    outcome: ({ lines }) =>
      numbersAfter(lines, "V = K + Q ").at(-1)! < 0.05 && numbersAfter(lines, "V = K  ").at(-1)! > 0.1,
  },
] satisfies readonly Change[];

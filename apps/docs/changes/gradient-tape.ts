import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Set b to 9",
    edits: [
      { find: 'note("b", 2)', replace: 'note("b", 9)' },
      { find: "b: number(2)", replace: "b: number(9)" },
    ],
    says:
      "The neuron is saturated: tanh(7.5) is 1.0000, and all slopes are tiny. It would learn nothing, even if its answer were " +
      "wrong.",
    outcome: ({ lines, readings }) =>
      lines.some((line) => /^tanh.* 1\.0000$/.test(line)) &&
      ["x: ", "w: ", "b: "].every((name) => Math.abs(numbersAfter(readings, name)[0]!) < 1e-5),
  },
] satisfies readonly Change[];

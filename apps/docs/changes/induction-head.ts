import { numbersAfter, type Change } from "../src/live/change";

const oneLayer = [
  { find: "const numLayers = 2;", replace: "const numLayers = 1;" },
  { find: "steps: 2000", replace: "steps: 600" },
];

export default [
  {
    label: "Train one layer",
    edits: oneLayer,
    says: "The loss does not fall below 1: a key of the only layer does not know which token came before it. No head has a high score.",
    outcome: ({ lines }) =>
      lines.includes("The loss did not fall below 1") && numbersAfter(lines, "induction head:").at(-1)! < 0.5,
  },
  {
    label: "Train one layer, and repeat every row after 16 tokens",
    edits: [...oneLayer, { find: "minPeriod: 12", replace: "minPeriod: 16" }],
    says: "Now the loss falls with one layer. The score is high too, but this head counts 15 places back: a score says that a head looks there, not how it finds the place.",
    outcome: ({ lines }) => lines.some((line) => line.startsWith("The loss fell below 1 at step")),
  },
] satisfies readonly Change[];

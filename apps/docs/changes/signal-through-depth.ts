import { numbersAfter, type Change } from "../src/live/change";

const size = (lines: readonly string[], kind: string) => numbersAfter(lines, `${kind}: numbers of size `)[0]!;

export default [
  {
    label: "Stack 48 layers",
    set: { layers: 48 },
    says:
      "Without norms, every layer multiplies the size of the numbers, so twice the depth squares it. With a norm before each " +
      "sublayer, the size hardly grows.",
    outcome: ({ lines }, before) =>
      size(lines, "no norm") > 1e5 * size(before.lines, "no norm") &&
      size(lines, "norm before") < 2 * size(before.lines, "norm before"),
  },
  {
    label: "Normalize queries and keys too",
    edits: [
      { find: "import { multiHead }", replace: "import { multiHead, qkNorm }" },
      {
        find: "multiHead({ embedDim: 32, numHeads: 4 })",
        replace: "multiHead({ embedDim: 32, numHeads: 4, qkNorm: qkNorm() })",
      },
    ],
    says:
      "The scores can no longer grow, but the size of the numbers hardly changes, because every layer still adds its values. " +
      "QK-norm does not replace the other norms.",
    outcome: ({ lines }, before) =>
      size(lines, "no norm") > 0.5 * size(before.lines, "no norm") &&
      size(lines, "no norm") < 2 * size(before.lines, "no norm"),
  },
] satisfies readonly Change[];

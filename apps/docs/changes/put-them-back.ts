import { numbersAfter, type Change } from "../src/live/change";

const error = (lines: readonly string[], kind: string) => numbersAfter(lines, `${kind}: error `)[0]!;

export default [
  {
    label: "Stack two layers instead of six",
    edits: [{ find: "length: 6", replace: "length: 2" }],
    says: "Three of the four learn the task, even the stack without residuals. Norms and residuals matter in deep stacks.",
    outcome: ({ lines }) =>
      ["norm before", "no norm", "no residual"].every((kind) => error(lines, kind) < 0.4) &&
      error(lines, "norm after") > 0.5,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Use slopes of your own",
    edits: [
      { find: "import { zeros }", replace: "import { tensor, zeros }" },
      { find: "bias: alibi(4)", replace: "bias: alibi(tensor([1, 0.5, 0.2, 0.1]))" },
    ],
    says: "The first head’s weight now falls by a factor of e per token. If the slopes are a tensor, they get gradients.",
    outcome: ({ lines, checks }) =>
      Math.abs(numbersAfter(lines, "log of the factor per token, first head: ")[0]! - 1) < 1e-5 &&
      checks["it is 1/4, as in the paper"] === false,
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

export default [
  {
    label: "Remove the causal mask",
    edits: [
      {
        find: "attention(params.query, params.key, value, { mask: causal() })",
        replace: "attention(params.query, params.key, value)",
      },
    ],
    says: "Bars appear for tokens 4 and 5: without a mask, the output of token 3 depends on them too.",
    outcome: ({ checks }) => checks["token 3 depends on no later token"] === false,
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

export default [
  {
    label: "Take the causal mask away",
    edits: [
      {
        find: "attention(params.query, params.key, value, { mask: causal() })",
        replace: "attention(params.query, params.key, value)",
      },
    ],
    says: "Bars of the tokens 4 and 5 appear: without a mask, the output of token 3 depends on them too.",
    outcome: ({ checks }) => checks["token 3 reaches no later token"] === false,
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

export default [
  {
    label: "Make it one chain",
    edits: [{ find: "const parents = [-1, -1, 1, 1];", replace: "const parents = [-1, 0, 1, 2];" }],
    says: "A chain is the causal mask: “roof” now sees “a” and “mat”, which were other guesses.",
    outcome: ({ checks }) => Object.values(checks).every((holds) => !holds),
  },
] satisfies readonly Change[];

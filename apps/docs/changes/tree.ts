import { type Change } from "../src/live/change";

export default [
  {
    label: "Use a single chain",
    edits: [{ find: "const parents = [-1, -1, 1, 1];", replace: "const parents = [-1, 0, 1, 2];" }],
    says: "A chain is the causal mask: “roof” now sees “a” and “mat”, which belong to other branches.",
    outcome: ({ checks }) => Object.values(checks).every((holds) => !holds),
  },
] satisfies readonly Change[];

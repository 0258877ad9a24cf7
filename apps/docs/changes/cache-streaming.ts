import { type Change } from "../src/live/change";

export default [
  {
    label: "Cache the rotated keys",
    edits: [{ find: ", unrotatedKeys: true }", replace: " }" }],
    says: "From the first eviction on, tokens differ: the keys that are left still encode their old positions.",
    outcome: ({ checks }) => checks["no token differs"] === false,
  },
] satisfies readonly Change[];

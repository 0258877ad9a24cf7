import { type Change } from "../src/live/change";

export default [
  {
    label: "Cache the rotated keys",
    edits: [{ find: ", unrotatedKeys: true }", replace: " }" }],
    says: "Tokens differ from the first eviction on, because the remaining keys still contain their old positions.",
    outcome: ({ checks }) => checks["no token differs"] === false,
  },
] satisfies readonly Change[];

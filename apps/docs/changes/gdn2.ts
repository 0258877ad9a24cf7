import type { Change } from "../src/live/change";

export default [
  {
    label: "Erase half",
    edits: [{ find: "const erased = 1;", replace: "const erased = 0.5;" }],
    says: "Half of the first value, 4, stays beside what is written.",
    outcome: ({ checks }) => checks["the old value is gone"] === false,
  },
] satisfies readonly Change[];

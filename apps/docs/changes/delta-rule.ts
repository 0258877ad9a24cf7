import type { Change } from "../src/live/change";

export default [
  {
    label: "Write at half the rate",
    edits: [{ find: "const rate = 1;", replace: "const rate = 0.5;" }],
    says: "Each write now goes half of the way from what the state holds to the new value: 2.5, 4.75, 6.875.",
    outcome: ({ checks }) => checks["each read is the value written last"] === false,
  },
] satisfies readonly Change[];

import type { Change } from "../src/live/change";

export default [
  {
    label: "Let both channels keep everything",
    edits: [{ find: "[Math.log(keep), 0]", replace: "[0, 0]" }],
    says: "Without decay this is softmax attention: all keys match equally.",
    outcome: ({ checks }) => checks["eleven tokens back, channel 0 has faded eleven times"] === false,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Raise the sink to 8",
    set: { "sink logit of both heads": 8 },
    says: "The sinks take nearly everything: rows sum to almost 0, and the heads pass on almost nothing.",
    outcome: ({ lines }) => numbersAfter(lines, "rows sum to ").every((sum) => sum < 0.1),
  },
] satisfies readonly Change[];

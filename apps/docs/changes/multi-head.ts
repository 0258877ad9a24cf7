import { numbersAfter, type Change } from "../src/live/change";

const weights = (readings: readonly string[], kind: string) => numbersAfter(readings, `${kind}: `)[0]!;

export default [
  {
    label: "Use 8 heads",
    edits: [
      { find: "numHeads: 4 }; // D is 4", replace: "numHeads: 8 }; // D is 2" },
      { find: "numKvHeads: 4", replace: "numKvHeads: 8" },
      { find: "Math.sqrt(4)", replace: "Math.sqrt(2)" },
    ],
    says: "The first two counts stay the same, because the heads become narrower. The third doubles, because each summed head has the full size.",
    outcome: ({ readings }, before) =>
      weights(readings, "split") === weights(before.readings, "split") &&
      weights(readings, "per head") === weights(before.readings, "per head") &&
      weights(readings, "summed") === 2 * weights(before.readings, "summed"),
  },
] satisfies readonly Change[];

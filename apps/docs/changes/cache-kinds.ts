import { numbersAfter, type Change } from "../src/live/change";

const bytes = (readings: readonly string[]) => numbersAfter(readings, "int8, 32 floats: ")[0]!;

export default [
  {
    label: "Keep 256 tokens as floats",
    edits: [{ find: "quantizedCache()", replace: "quantizedCache({ residualLength: 256 })" }],
    says: "The int8 cache takes more memory: it keeps the last 256 tokens as floats.",
    outcome: ({ readings }, before) => bytes(readings) > bytes(before.readings),
  },
] satisfies readonly Change[];

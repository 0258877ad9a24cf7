import type { Change } from "../src/live/change";

export default [
  {
    label: "Point along layer 5",
    edits: [{ find: "outputs[2]!", replace: "outputs[5]!" }],
    says: "Now layer 5 has the largest weight; the weights still sum to 1.",
    outcome: ({ checks }) => checks["they sum to 1"] === true && checks["layer 2 has the largest"] === false,
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

export default [
  {
    label: "Give it eight slots",
    set: { slots: 8 },
    says: "The state grows from 24 numbers to 64, and stays at that for any number of tokens.",
    outcome: ({ lines }, before) =>
      before.lines.includes("numbers in the state: 24") && lines.includes("numbers in the state: 64"),
  },
] satisfies readonly Change[];

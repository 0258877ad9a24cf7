import { type Change } from "../src/live/change";

export default [
  {
    label: "Rewrite nothing: beta 0",
    set: { beta: 0 },
    says: "The stored values are those that came, and both lines of outputs are equal: softmax attention.",
    outcome: ({ lines }) => lines.some((line) => /DeltaFormer reads +\[5, \d.*, 7\]/.test(line)),
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Take the layer's own values",
    set: { "logit of every share": 8 },
    says: "The share is almost 1: the layer is nearly plain attention.",
    outcome: ({ lines }) => numbersAfter(lines, "distance from attention without the residual ")[0]! < 0.01,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Close the gates",
    set: { "logit of every gate": -8 },
    says: "Every token writes almost nothing, although its softmax weights still sum to 1.",
    outcome: ({ lines }) => {
      const [gated, plain] = numbersAfter(lines, "output with the gate ");
      return Math.abs(gated!) < 0.001 * Math.abs(plain!);
    },
  },
] satisfies readonly Change[];

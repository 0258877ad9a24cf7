import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Use one hidden neuron",
    set: { "hidden neurons": 1 },
    says: "The loss stays above 0.6, however long it trains: a single neuron sees the two inputs along one line.",
    outcome: ({ lines }) => numbersAfter(lines, "loss ")[1]! > 0.6,
  },
] satisfies readonly Change[];

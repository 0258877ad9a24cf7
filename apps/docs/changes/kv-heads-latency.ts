import { numbersAfter, numbersIn, type Change } from "../src/live/change";

const measured = (readings: readonly string[]) =>
  readings.flatMap((text) => (text.endsWith(" ms") ? numbersIn(text).slice(-1) : []));

export default [
  {
    label: "Read 8,192 tokens",
    set: { "tokens so far": "8,192" },
    says:
      "Four times the tokens are four times the bytes: 33.55 MB with eight key-value heads, 4.194 MB with one. A cache that no " +
      "longer fits in the processor’s own memory takes longer to read, so fewer heads save more.",
    outcome: ({ readings }) => numbersAfter(readings, "8 heads (MHA): ")[0] === 33.55,
    timing: ({ readings }, before) =>
      Math.max(...measured(readings)) >= Math.max(...measured(before.readings)),
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

const lastLoss = (lines: readonly string[]) => Number(/, ([\d.]+) at the end/.exec(lines.join("\n"))?.[1]);

export default [
  {
    label: "Train twice as long",
    set: { "steps of training": 60 },
    says: "The loss falls further, and decoding still gives what the prompt gives.",
    outcome: ({ lines }, before) => lastLoss(lines) < lastLoss(before.lines) / 2,
  },
  {
    label: "Give the layers the state of Mamba-2",
    edits: [
      { find: "import { gatedDeltaRule, mixerLayer }", replace: "import { ssd, mixerLayer }" },
      { find: "mixer: gatedDeltaRule()", replace: "mixer: ssd()" },
    ],
    says: "The layer projects to the inputs that the other mixer names, and learns too.",
    outcome: ({ lines }) => lastLoss(lines) < 1.5,
  },
] satisfies readonly Change[];

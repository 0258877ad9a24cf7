import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Do not train",
    set: { "training steps": 0 },
    says: "Random weights give every word about the same probability, and the sentence is noise.",
    outcome: ({ readings }) =>
      ["cat", "the", "dog"].every((word) => numbersAfter(readings, `${word}: `)[0]! < 0.2),
  },
  {
    label: "Take steps a tenth as large",
    edits: [{ find: "mul(slopes[n++]!, 0.2)", replace: "mul(slopes[n++]!, 0.02)" }],
    says:
      "After the same 60 steps the loss is still above 1, and the sentence repeats one word. Small steps are safe and slow; a step " +
      "that is too large makes the loss jump up.",
    outcome: ({ readings, lines }) =>
      numbersAfter(readings, "x 60: ")[0]! > 1 && /(\b\w+ )\1{5}/.test(lines[0]!),
  },
  {
    label: "Remove the positions",
    edits: [{ find: "contextLength: 32,", replace: 'contextLength: 32,\n  positions: "none",' }],
    says:
      "The sentence no longer follows the text: “… sat on the dog sat on …”. The model knows which words came before, but " +
      "hardly in which order.",
    outcome: ({ lines }, before) =>
      before.lines[0]!.startsWith("the cat sat on the mat .") &&
      !lines[0]!.startsWith("the cat sat on the mat ."),
  },
] satisfies readonly Change[];

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
    label: "Use two layers",
    edits: [{ find: "numLayers: 1", replace: "numLayers: 2" }],
    says:
      "The loss jumps up and the sentence repeats one word: this step size is too large for two layers. Deeper models need " +
      "smaller steps, or a better optimizer.",
    outcome: ({ readings, lines }) =>
      numbersAfter(readings, "x 60: ")[0]! > 2 && /(\b\w+ )\1{5}/.test(lines[0]!),
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

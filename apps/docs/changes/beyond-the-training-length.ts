import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Look three positions back",
    edits: [{ find: "offsets: [1]", replace: "offsets: [3]" }],
    says:
      "ALiBi’s weight only falls with distance, so it cannot prefer the third position: it hardly beats guessing, even within the " +
      "eight letters. The other three learn at least a part of the task.",
    outcome: ({ lines }) =>
      numbersAfter(lines, "alibi ")[0]! > 0.8 &&
      ["learned", "sinusoidal", "rope"].every((kind) => numbersAfter(lines, `${kind} `)[0]! < 0.6),
  },
] satisfies readonly Change[];

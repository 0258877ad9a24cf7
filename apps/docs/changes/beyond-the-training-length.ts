import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Ask for three places back",
    edits: [{ find: "offsets: [1]", replace: "offsets: [3]" }],
    says:
      "A slope that only falls cannot prefer the third place: ALiBi now hardly beats a guess, even inside the eight letters. The " +
      "other three learn at least a part of it.",
    outcome: ({ lines }) =>
      numbersAfter(lines, "alibi ")[0]! > 0.8 &&
      ["learned", "sinusoidal", "rope"].every((kind) => numbersAfter(lines, `${kind} `)[0]! < 0.6),
  },
] satisfies readonly Change[];

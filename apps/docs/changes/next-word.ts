import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Let two words follow “the” equally often",
    set: { "the text to learn from": "the cat sat . the dog ran ." },
    says:
      "“cat” and “dog” are equally likely, and the first one wins every time: a model that always takes the likeliest " +
      "word never says “dog”.",
    outcome: ({ readings, lines }) =>
      numbersAfter(readings, "cat: ")[0] === 0.5 &&
      numbersAfter(readings, "dog: ")[0] === 0.5 &&
      !lines.some((line) => line.includes("dog")),
  },
] satisfies readonly Change[];

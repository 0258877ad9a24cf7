import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Let two words follow “the” equally often",
    set: { "training text": "the cat sat . the dog ran ." },
    says:
      "“cat” and “dog” are equally likely, but “cat” comes first in the list and wins every time. A model that always takes the " +
      "most likely word never writes “dog”.",
    outcome: ({ readings, lines }) =>
      numbersAfter(readings, "cat: ")[0] === 0.5 &&
      numbersAfter(readings, "dog: ")[0] === 0.5 &&
      !lines.some((line) => line.includes("dog")),
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

const chance = (readings: readonly string[], word: string) => numbersAfter(readings, `${word}: `)[0]!;

export default [
  {
    label: "Temperature 2, min-p 0.05",
    set: { temperature: 2, "min-p": 0.05 },
    says: "“purple” is gone. Its probability is 4.98% of that of “sunny”, the most likely word, just under the threshold of 5%.",
    outcome: ({ readings, lines }) => chance(readings, "purple") === 0 && lines[0]!.startsWith("6 of 7 "),
  },
  {
    label: "Temperature 3, min-p 0.05",
    set: { temperature: 3, "min-p": 0.05 },
    says:
      "“purple” is back. Min-p is relative to the most likely word. A higher temperature brings all words closer to it, so " +
      "more of them pass the same threshold.",
    outcome: ({ readings, lines }) => chance(readings, "purple") > 0 && lines[0]!.startsWith("7 of 7 "),
  },
  {
    label: "Temperature 3, top-k 4",
    set: { temperature: 3, "top-k": 4 },
    says: "Top-k does not adapt: four words remain at any temperature.",
    outcome: ({ lines }) => lines[0]!.startsWith("4 of 7 "),
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Give “cat” and “mat” the same color",
    edits: [{ find: "        [0, 0, 1],", replace: "        [1, 0, 0]," }],
    set: { "each word hands over": "a color, as red, green, blue" },
    says:
      "“sat” receives almost pure red. The weights still tell cat and mat apart, the output does not: what the values " +
      "leave out is lost.",
    outcome: ({ lines }) => {
      const [red, green, blue] = numbersAfter(lines, "“sat” receives ");
      return red! > 0.95 && green! < 0.05 && blue! < 0.01;
    },
  },
] satisfies readonly Change[];

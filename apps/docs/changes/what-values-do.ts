import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Give “cat” and “mat” the same color",
    edits: [{ find: "        [0, 0, 1],", replace: "        [1, 0, 0]," }],
    set: { "value of each word": "a color (red, green, blue)" },
    says:
      "“sat” receives almost pure red. The weights still distinguish “cat” from “mat”; the output does not. Anything that the " +
      "values leave out is lost.",
    outcome: ({ lines }) => {
      const [red, green, blue] = numbersAfter(lines, "“sat” receives ");
      return red! > 0.95 && green! < 0.05 && blue! < 0.01;
    },
  },
] satisfies readonly Change[];

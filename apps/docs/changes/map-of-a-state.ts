import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Only add: linear attention",
    set: { layer: "linear attention" },
    says:
      "“cup?” now reads red and green in full, and some blue: nothing is ever taken out of the state, and a row of the map no " +
      "longer sums to 1.",
    outcome: ({ lines }) => {
      const [red, blue, green] = numbersAfter(lines, "linear attention: cup? ");
      return red === 1 && green === 1 && blue === 0.6;
    },
  },
  {
    label: "Make “cap” unlike “cup”",
    edits: [{ find: "cap: [0.6, 0.8, 0],", replace: "cap: [0, 1, 0]," }],
    says:
      "With keys at right angles no color leaks into another, nothing must be taken back, and the delta rule answers each " +
      "question exactly. The map has no weight below 0.",
    outcome: ({ lines, readings }) =>
      ["cup? green 1.00", "cap? blue 1.00", "hat? gold 1.00"].every((answer) =>
        lines.includes(`delta rule: ${answer}`),
      ) && !readings.some((reading) => /: -/.test(reading)),
  },
  {
    label: "Replace half of the old color",
    edits: [{ find: "full([1, 1, T], 1);", replace: "full([1, 1, T], 0.5);" }],
    says: "“cup?” still reads some red: each write goes half of the way from the old color to the new one.",
    outcome: ({ lines }) => /cup\? red 0\.[1-4]\d, .*green 0\.5/.test(lines.join("\n")),
  },
  {
    label: "Let the state fade",
    set: { layer: "gated delta rule" },
    says: "Older writes have smaller weights: gold, stored four tokens before, is read at 0.8⁴ = 0.41.",
    outcome: ({ lines }) => lines.includes("gated delta rule: hat? gold 0.41"),
  },
] satisfies readonly Change[];

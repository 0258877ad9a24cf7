import { numbersIn, type Change } from "../src/live/change";

const swapped = (lines: readonly string[]) => numbersIn(lines.at(-1)!).at(-1)!;

export default [
  {
    label: "Replace only the heads of the first layer",
    edits: [
      {
        find: "patch(other, places.map(placeOf))",
        replace: "patch(other, places.filter(({ layer }) => layer === 0).map(placeOf))",
      },
      { find: "with all heads of the dog's", replace: "with the first layer of the dog's" },
    ],
    says:
      "“meows” becomes as unlikely as with all heads replaced: the second layer cannot make up for what the first layer passes " +
      "on.",
    outcome: ({ lines }) => swapped(lines) < 0.1,
  },
  {
    label: "Replace only the heads of the second layer",
    edits: [
      {
        find: "patch(other, places.map(placeOf))",
        replace: "patch(other, places.filter(({ layer }) => layer === 1).map(placeOf))",
      },
      { find: "with all heads of the dog's", replace: "with the second layer of the dog's" },
      {
        find: 'if (!(all < 0.1)) throw new Error("the animal did not come through the heads");',
        replace: "",
      },
    ],
    says:
      "“meows” stays above 0.9: the first layer had already moved the animal to the word at which the answer is read, and the second " +
      "layer's heads add little.",
    outcome: ({ lines }) => swapped(lines) > 0.9,
  },
] satisfies readonly Change[];

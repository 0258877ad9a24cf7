import { numbersIn, type Change } from "../src/live/change";

const swapped = (lines: readonly string[]) => numbersIn(lines.at(-1)!).at(-1)!;

export default [
  {
    label: "Exchange the heads of the first layer only",
    edits: [
      {
        find: "changed(patchHeads(places, other))",
        replace: "changed(patchHeads(places.filter(({ layer }) => layer === 0), other))",
      },
      { find: "with all heads of the dog's", replace: "with the first layer of the dog's" },
    ],
    says:
      "“meows” becomes as unlikely as with all heads exchanged: the second layer cannot make up for what the first one " +
      "passes on.",
    outcome: ({ lines }) => swapped(lines) < 0.1,
  },
  {
    label: "Exchange the heads of the second layer only",
    edits: [
      {
        find: "changed(patchHeads(places, other))",
        replace: "changed(patchHeads(places.filter(({ layer }) => layer === 1), other))",
      },
      { find: "with all heads of the dog's", replace: "with the second layer of the dog's" },
    ],
    says: "“meows” falls to 0.023: again one layer is enough. The animal comes through both.",
    outcome: ({ lines }) => swapped(lines) < 0.1,
  },
] satisfies readonly Change[];

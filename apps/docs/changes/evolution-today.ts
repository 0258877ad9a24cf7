import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Choose one block only",
    edits: [
      {
        find: "const blocks = mobaBlocks(query, key, { blockSize: 2, topK: 2 });",
        replace: "const blocks = mobaBlocks(query, key, { blockSize: 2, topK: 1 });",
      },
    ],
    set: { show: "sparse choice" },
    says: "Each word reads only its own block: one or two keys. All other cells of the map are masked.",
    outcome: ({ readings }) =>
      readings.filter((reading) => /query .*: (?!masked)/.test(reading)).length === 2 * 9,
  },
  {
    label: "Keep shorter latents",
    edits: [{ find: "kvRank: 4,", replace: "kvRank: 1," }],
    says: "3 numbers per word are cached, and both ways of reading them still agree.",
    outcome: ({ lines, checks }) =>
      numbersAfter(lines, "cached numbers per word:")[0] === 3 &&
      checks["latents read as they are give the same"] === true,
  },
] satisfies readonly Change[];

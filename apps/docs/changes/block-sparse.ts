import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Give each head its own layout",
    edits: [
      { find: "import { randn, tensor }", replace: "import { concat, logicalNot, randn, reshape, tensor }" },
      { find: "randn([1, 1, 12, 8]", replace: "randn([1, 2, 12, 8]" },
      { find: "{ mask: blockSparse(layout, 3) }", replace: "{ mask: blockSparse(perHead, 3) }" },
      {
        find: "]); // [query blocks, key blocks]\n",
        replace:
          "]); // [query blocks, key blocks]\nconst both = concat([layout, logicalNot(layout)], 0);\nconst perHead = reshape(both, [2, 4, 4]); // [H, query blocks, key blocks]\n",
      },
    ],
    says: "The second head sees the blocks that the first head does not.",
    outcome: ({ readings }) => masked(readings) === 144,
  },
] satisfies readonly Change[];

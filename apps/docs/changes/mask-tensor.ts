import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Give each head its own mask",
    edits: [
      {
        find: "import { cast, logicalNot, ones, randn, tensor, tril }",
        replace: "import { cast, concat, logicalNot, ones, randn, reshape, tensor, tril }",
      },
      {
        find: "  attentionMap(attentionWeights(x, x, { mask: maskTensor(visible) }), {",
        replace: "  attentionMap(attentionWeights(x, x, { mask: maskTensor(perHead) }), {",
      },
      {
        find: "]); // [T, S]\n",
        replace:
          "]); // [T, S]\nconst both = concat([visible, logicalNot(visible)], 0);\nconst perHead = reshape(both, [1, 2, 6, 6]); // [B, H, T, S]\n",
      },
    ],
    says: "The second head sees exactly the keys that the first head does not.",
    outcome: ({ readings }) => masked(readings) === 36,
  },
] satisfies readonly Change[];

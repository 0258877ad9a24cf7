import { type Change } from "../src/live/change";

export default [
  {
    label: "Give two documents the same number",
    edits: [
      {
        find: "Array<number>(length).fill(document)",
        replace: "Array<number>(length).fill([0, 1, 0][document] ?? 0)",
      },
    ],
    says: "The first and the third document see each other, although another one stands between them. The output is no longer that of each alone.",
    outcome: ({ checks }) => checks["packed gives the same as one by one"] === false,
  },
] satisfies readonly Change[];

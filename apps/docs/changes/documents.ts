import { type Change } from "../src/live/change";

export default [
  {
    label: "Give two documents the same id",
    edits: [
      {
        find: "Array<number>(length).fill(document)",
        replace: "Array<number>(length).fill([0, 1, 0][document] ?? 0)",
      },
    ],
    says: "The first and third documents see each other, although another one is between them. The output is no longer that of separate documents.",
    outcome: ({ checks }) => checks["packed documents give the same as separate ones"] === false,
  },
] satisfies readonly Change[];

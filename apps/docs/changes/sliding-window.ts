import { type Change } from "../src/live/change";

export default [
  {
    label: "Also look three tokens ahead",
    edits: [
      {
        find: "const mask = slidingWindow(windowSize);",
        replace: "const mask = slidingWindow({ before: 3, after: 3 });",
      },
    ],
    says: "This is the window of an encoder: as many tokens after the query as before it.",
    outcome: ({ readings }) =>
      !readings.includes("query 4, key 7: masked") && readings.includes("query 4, key 8: masked"),
  },
] satisfies readonly Change[];

import { type Change } from "../src/live/change";

export default [
  {
    label: "Look three tokens ahead, too",
    edits: [
      {
        find: "const mask = slidingWindow(windowSize);",
        replace: "const mask = slidingWindow({ before: 3, after: 3 });",
      },
    ],
    says: "The window of an encoder: as many tokens after the query as before it.",
    outcome: ({ readings }) =>
      !readings.includes("query 4, key 7: masked") && readings.includes("query 4, key 8: masked"),
  },
] satisfies readonly Change[];

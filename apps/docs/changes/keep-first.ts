import { type Change } from "../src/live/change";

export default [
  {
    label: "Keep the first 6 tokens",
    set: { "first tokens to keep": 6 },
    says: "The columns meet the diagonal band: the first ten rows now see everything before them. Later rows still skip the tokens in between.",
    outcome: ({ readings }) =>
      !readings.includes("query 9, key 5: masked") && readings.includes("query 10, key 6: masked"),
  },
] satisfies readonly Change[];

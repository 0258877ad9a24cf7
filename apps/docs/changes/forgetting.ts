import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Close the gate of token 7 as well",
    edits: [{ find: "token === 6 ? gate : 1", replace: "token === 6 || token === 7 ? gate : 1" }],
    says: "Token 6 now loses as much as token 5 did, and token 5 twice: their ratio stays the gate of token 6.",
    outcome: ({ lines, checks }) =>
      numbersAfter(lines, "weight of token 5 divided by that of token 6: ")[0]! < 0.11 &&
      checks["it is the gate of token 6"] === true,
  },
] satisfies readonly Change[];

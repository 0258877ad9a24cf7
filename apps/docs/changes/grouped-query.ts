import { type Change } from "../src/live/change";

export default [
  {
    label: "Share one key-value head (multi-query)",
    set: { "key-value heads": "1" },
    says: "Assigning the heads in turn now gives the same result, because one key-value head can be shared in only one way.",
    outcome: ({ lines }) => lines.includes("assigning heads in turn gives the same: true"),
  },
] satisfies readonly Change[];

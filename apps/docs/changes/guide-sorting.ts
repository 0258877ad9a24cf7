import type { Change } from "../src/live/change";

export default [
  {
    label: "Turn the list around",
    set: { "eight different numbers from 0 to 31": "31 27 22 18 13 9 4 0" },
    says: "The order of the list does not matter: the heads look at values, not at places.",
    outcome: ({ lines }) => lines[0] === "in order: 0 4 9 13 18 22 27 31",
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Lower the base to 10",
    set: { base: "10" },
    says: "All waves are fast. The product falls from 16 to below 0 within five tokens; beyond that it says little about the distance.",
    outcome: ({ readings }) =>
      [5, 8, 12, 16, 20, 23].every((distance) => {
        const product = numbersAfter(readings, `distance, in tokens ${distance}: `)[0]!;
        return product < 0 && product > -4;
      }),
  },
] satisfies readonly Change[];

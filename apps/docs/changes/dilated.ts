import { numbersIn, type Change } from "../src/live/change";

export default [
  {
    label: "Set the dilation to 2",
    set: { "dilation, in tokens": 2 },
    says: "Two adjacent rows have no key in common. Even tokens never receive anything from odd ones, through any number of such layers.",
    outcome: ({ readings }) =>
      readings.every((text) => {
        const [query, key] = numbersIn(text);
        return !text.startsWith("query") || text.endsWith("masked") || (query! - key!) % 2 === 0;
      }),
  },
] satisfies readonly Change[];

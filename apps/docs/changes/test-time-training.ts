import { type Change } from "../src/live/change";

export default [
  {
    label: "Freeze the state",
    set: { "learning rate": 0 },
    says: "A rate of 0 learns nothing: the three errors are equal.",
    outcome: ({ lines, checks }) =>
      /(\d\.\d+).*\1.*\1/.test(lines.join()) &&
      checks["after 256 tokens the error is less than a tenth of that after 16"] === false,
  },
] satisfies readonly Change[];

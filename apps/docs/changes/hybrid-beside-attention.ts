import { numbersAfter, type Change } from "../src/live/change";

const lossOf = (lines: readonly string[], name: string) =>
  numbersAfter(lines, `${name}: held-back loss `)[0]!;

export default [
  {
    label: "Take the attention away from the hybrid",
    edits: [
      {
        find: 'hybrid: [gatedDelta, gatedDelta, "full"]',
        replace: "hybrid: [gatedDelta, gatedDelta, gatedDelta]",
      },
    ],
    says: "States alone learn these stories about as well: there is room for one animal and one place. There is no map, since no layer looks at single characters.",
    outcome: ({ lines }, before) => lossOf(lines, "hybrid") < lossOf(before.lines, "attention") + 0.2,
  },
] satisfies readonly Change[];

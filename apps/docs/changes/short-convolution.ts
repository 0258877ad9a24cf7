import { type Change } from "../src/live/change";

export default [
  {
    label: "Open the gate of the input",
    edits: [{ find: "key: shut", replace: "key: open" }],
    says: "Token 2 enters the sums of its own output and of the next one.",
    outcome: ({ lines }, before) =>
      before.lines.includes("output: [3, 32, 21, 3010]") && lines.includes("output: [3, 32, 321, 3210]"),
  },
] satisfies readonly Change[];

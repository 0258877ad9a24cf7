import { type Change } from "../src/live/change";

export default [
  {
    label: "Share one key-value head (multi-query)",
    set: { "key-value heads": "1" },
    says: "Heads dealt out round-robin are now the same as shared by neighbours: with one key-value head there is only one way to share it.",
    outcome: ({ lines }) => lines.includes("heads dealt out round-robin are the same: true"),
  },
] satisfies readonly Change[];

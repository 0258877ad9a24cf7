import { type Change } from "../src/live/change";

/** Number of cells that read “masked”. */
const masked = (readings: readonly string[]) => readings.filter((text) => text.endsWith("masked")).length;

export default [
  {
    label: "Use no random blocks",
    edits: [{ find: "randomBlocks: 2,\n  seed,\n};", replace: "randomBlocks: 0,\n  seed,\n};" }],
    says: "The scattered squares are gone. Distant tokens now connect only through the global ones.",
    outcome: ({ readings }, before) => masked(readings) > masked(before.readings),
  },
] satisfies readonly Change[];

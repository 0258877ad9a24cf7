import type { Change } from "../src/live/change";

const tiles = (lines: readonly string[]) =>
  lines[0]!.match(/\d+/g)!.map(Number) as [skipped: number, partial: number, whole: number];

const shader = (lines: readonly string[]) =>
  lines.slice(lines.findIndex((line) => line.startsWith("// "))).join("\n");

export default [
  {
    label: "Decode one token",
    set: { queries: "1, decoding" },
    says: "Two other shaders: the keys are split over workgroups, 256 to each, and a second dispatch merges what they leave.",
    outcome: ({ lines }) => lines.includes("2 dispatches in one submission"),
  },
  {
    label: "See only the last 100 tokens",
    set: { mask: "window of 100" },
    says: "More tiles are skipped, and none is whole: every tile that is read has an edge of the window in it. The shader is the same, since the plan is data.",
    outcome: ({ lines }, before) =>
      tiles(lines)[0] > tiles(before.lines)[0] &&
      tiles(lines)[2] === 0 &&
      shader(lines) === shader(before.lines),
  },
  {
    label: "Share one key-value head",
    set: { "key-value heads": "1" },
    says: "The keys and values to bind take a quarter of the memory, and all heads read them. The shader is the same again.",
    outcome: ({ lines }, before) => shader(lines) === shader(before.lines),
  },
] satisfies readonly Change[];

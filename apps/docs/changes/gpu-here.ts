import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Compute in WebAssembly",
    set: { device: "wasm" },
    says: "The CPU does the work, and the result is as close to float64 as before. Compare the times, then choose more tokens.",
    outcome: ({ lines }) =>
      lines[0]!.startsWith("device: wasm,") &&
      numbersAfter(lines, "largest error against float64: ")[0]! < 1e-4,
  },
] satisfies readonly Change[];

import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Compute in WebAssembly instead",
    edits: [{ find: "await gpu()", replace: 'await gpu({ mode: "webasm" })' }],
    says: "The mode is now “webasm”: the CPU does the work, and the result is as close to float64 as before. Compare the times.",
    outcome: ({ lines }) =>
      lines.includes("mode: webasm because asked for") &&
      numbersAfter(lines, "largest error against float64: ")[0]! < 1e-4,
  },
] satisfies readonly Change[];

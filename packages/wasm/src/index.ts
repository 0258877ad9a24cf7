export type { WasmDevice, WasmMemoryReport, WasmReport } from "./device.js";
export type { WasmOptions } from "./options.js";
export { parseWasmName } from "./parse-name.js";
export type { PatternedKernel, ReadPattern, ReadPatternChoice } from "./read-pattern.js";
export type { WasmBuild } from "./sources.js";
export { wasm } from "./wasm.js";

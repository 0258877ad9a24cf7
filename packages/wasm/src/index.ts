export { wasm, type WasmBuild, type WasmOptions } from "./wasm.js";

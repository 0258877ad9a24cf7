export type { CompileOptions, CompileProgress } from "./compile-ahead.js";
export type { WebGpuDevice, WebGpuMemory, WebGpuReport } from "./device.js";
export type { AdapterInfo } from "./open.js";
export type { WebGpuOptions } from "./options.js";
export { parseWebGpuName } from "./parse-name.js";
export { webgpu } from "./webgpu.js";
export { webgpuAdapter } from "./webgpu-adapter.js";
export { webgpuAttention } from "./webgpu-attention.js";

export type { GpuDevice, GpuMemory, GpuReport } from "./device.js";
export { gpu } from "./gpu.js";
export type { GpuMode, GpuOptions } from "./options.js";
export { parseGpuName } from "./parse-name.js";

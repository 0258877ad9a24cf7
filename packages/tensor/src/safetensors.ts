export {
  openSafetensors,
  readSafetensors,
  type ReadOptions,
  type SafetensorsFile,
} from "./safetensors/read.js";
export type { ByteSource, SafetensorsSource } from "./safetensors/source.js";
export { writeSafetensors } from "./safetensors/write.js";

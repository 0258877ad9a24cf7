export {
  openSafetensors,
  readSafetensors,
  type ReadOptions,
  type SafetensorsFile,
  type SafetensorsSource,
} from "./safetensors/read.js";
export type { ByteSource } from "@qkv/core/byte-source";
export { writeSafetensors } from "./safetensors/write.js";

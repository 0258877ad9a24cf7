export { defineBrand, type Brand, type Stamp } from "./brand.js";
export { ByteReader } from "./byte-reader.js";
export {
  ArgumentError,
  describeValue,
  DeviceError,
  FormatError,
  isQkvError,
  QkvError,
  ShapeError,
  VersionError,
  type ErrorFacts,
} from "./errors.js";
export {
  readSafetensorsHeader,
  safetensorsHeaderSize,
  writeSafetensorsHeader,
  type SafetensorsDType,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors.js";

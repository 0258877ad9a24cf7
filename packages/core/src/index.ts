export { addStrided } from "./add-strided.js";
export {
  checkAlive,
  checkComputeDtype,
  checkDevice,
  checkFits,
  checkNoBroadcast,
  checkNotBool,
  checkNotEmpty,
  checkOneOf,
  checkSameDevice,
  checkSameType,
  checkSignal,
  checkIntegers,
  numberArray,
  refuseNonTensor,
} from "./checks.js";
export { Checks, checks, isList, type Named, type NumberRange, type Refusal } from "./bound-checks.js";
export { checkOptions, nearestName, type OptionName } from "./check-options.js";
export { cheapestPairs, type Pair, type Sizes } from "./contraction-order.js";
export { asyncDisposable, disposable } from "./disposal.js";
export { copyPacked, copyStrided, readPacked } from "./copy-packed.js";
export { defineBrand, type Brand, type Stamp } from "./brand.js";
export { ByteReader, type FieldName } from "./byte-reader.js";
export { ByteWriter } from "./byte-writer.js";
export {
  allocateArray,
  bytesPerElement,
  checkDType,
  checkFloat,
  isFloat,
  isPacked,
  viewArray,
  type DType,
  type TypedArray,
} from "./dtype.js";
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
export { encodeNumbers, naturalType } from "./encode-numbers.js";
export { parseEquation, type Equation } from "./einsum-equation.js";
export { format, type Numbers } from "./format.js";
export { fromHalfBits, numberAt, packHalf, toHalfBits, unpackHalf, type HalfType } from "./half.js";
export { eachGroup, normalizeAxes, reducedShape, type Group, type Reduced } from "./groups.js";
export { knownNames } from "./known-names.js";
export { inspect, inspectKey } from "./inspect.js";
export { fromLittleEndian, isLittleEndian, littleEndianBytes, swapBytes } from "./little-endian.js";
export { nest, nestedShape, type Nested } from "./nest.js";
export { refuse, refuseShape } from "./refuse.js";
export { eachBroadcastRow, eachLine, eachRow, type Strided } from "./rows.js";
export {
  readGgufHeader,
  writeGgufHeader,
  type GgufField,
  type GgufHeader,
  type GgufTensor,
  type GgufValue,
} from "./gguf.js";
export { readSafetensorsHeaderOf } from "./byte-source/safetensors-header.js";
export {
  readSafetensorsHeader,
  safetensorsHeaderSize,
  writeSafetensorsHeader,
  type SafetensorsDType,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors.js";
export {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  isContiguous,
  normalizeAxis,
  sameShape,
  sizeOf,
  stridesOf,
  withLength,
  type Shape,
} from "./shape.js";
export { visibleText } from "./visible-text.js";

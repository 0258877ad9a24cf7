export { afterSpaces } from "./patching/after-spaces.js";
export { byteCountModel, type ByteCountModel } from "./patching/byte-count-model.js";
export { byteEntropies, type ByteEntropy } from "./patching/byte-entropy.js";
export { fixedSize } from "./patching/fixed-size.js";
export { globalThreshold } from "./patching/global-threshold.js";
export { monotonicRise } from "./patching/monotonic-rise.js";
export { patchStarts } from "./patching/patch-starts.js";
export { patchStream, type PatchStream } from "./patching/patch-stream.js";
export type { Patcher, PatchRule } from "./patching/patcher.js";

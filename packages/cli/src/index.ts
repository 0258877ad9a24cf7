// Names that two packages export: `norm` and `pad` are PyTorch's, `Model` and `Decoder` those that generate. The others are
// at `qkv/transformer` and `qkv/tokenizer`.
export type { Decoder, Model, Norm } from "@qkv/transformer";
export { norm, pad, type Operand } from "@qkv/tensor";
export type { Trace } from "@qkv/tokenizer";

export * from "@qkv/attention";
export * from "@qkv/device";
export * from "@qkv/kv-cache";
export * from "@qkv/model-tiny";
export * from "@qkv/tensor";
export * from "@qkv/tokenizer";
export * from "@qkv/transformer";
export * from "@qkv/viz";
export * from "@qkv/wasm";
export * from "@qkv/webgpu";
export {
  ArgumentError,
  DeviceError,
  FormatError,
  isQkvError,
  QkvError,
  ShapeError,
  VersionError,
  type ErrorFacts,
} from "@qkv/core";

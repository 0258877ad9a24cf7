export {
  addAttentionMaps,
  type AttentionMap,
  type AttentionMapOptions,
  type OnnxWithMaps,
} from "./onnx/add-attention-maps.js";
export type { SkippedNode } from "./onnx/composed-attention.js";

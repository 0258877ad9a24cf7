export {
  addAttentionMaps,
  type AttentionMap,
  type AttentionMapOptions,
  type OnnxWithMaps,
} from "./onnx/add-attention-maps.js";
export type { LeftAlone } from "./onnx/composed-attention.js";

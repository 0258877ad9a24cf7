/** Weights as small whole numbers: a quarter or an eighth of the memory, which is what decoding waits for. */
export { dequantizeWeight } from "./quantized/dequantize-weight.js";
export { isQuantized, type QuantizedWeight } from "./quantized/quantized-weight.js";
export {
  quantizedLinear,
  quantizedMatmulOp,
  type QuantizedLinearOptions,
} from "./quantized/quantized-linear.js";
export { quantizeWeight } from "./quantized/quantize-weight.js";

/** Weights quantized to 8 or 4 bits: a quarter or an eighth of the memory, whose bandwidth limits decoding. */
export { dequantizeWeight } from "./quantized/dequantize-weight.js";
export { isQuantized, type QuantizedWeight } from "./quantized/quantized-weight.js";
export {
  quantizedLinear,
  quantizedMatmulOp,
  type QuantizedLinearOptions,
} from "./quantized/quantized-linear.js";
export { quantizeWeight } from "./quantized/quantize-weight.js";

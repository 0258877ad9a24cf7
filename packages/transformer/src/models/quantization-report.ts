/** Errors and sizes of a quantized model. */
export type QuantizationReport = {
  /** Relative error of each matrix, by path: Frobenius norm of the quantization error over that of the matrix. */
  errors: Record<string, number>;
  /** Bytes of all params before and after quantization. */
  bytesBefore: number;
  bytesAfter: number;
};

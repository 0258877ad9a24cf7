/** Errors and sizes of a quantized model. */
export type QuantizationReport = {
  /** Of each matrix, by its path: the length of what rounding changed, over the length of the matrix. */
  errors: Record<string, number>;
  /** Bytes of all params before and after. */
  bytesBefore: number;
  bytesAfter: number;
};

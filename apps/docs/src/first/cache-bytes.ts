/** Heads of a model, as far as its cache is concerned. */
export type HeadShape = { layers: number; heads: number; headDim: number };

/** Bytes of keys and values in float32: two tensors of `kvHeads · headDim` numbers a layer and token. */
export function cacheBytes({ layers, headDim }: HeadShape, kvHeads: number, tokens: number): number {
  return 2 * 4 * layers * kvHeads * headDim * tokens;
}

/** Number of tokens that the measured one looks back at. */
export const measuredTokens = 8192;

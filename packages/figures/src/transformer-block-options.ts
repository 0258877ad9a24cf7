/** Options that change the numbers. */
export type TransformerBlockOptions = {
  /** The removed part: "attention-0", "mlp-0", "head-0-1" (block 0, head 1). Default "none". */
  removed?: string;
  /** Maximum number of tokens. Of a longer text the last are used. Default 16. */
  maxTokens?: number;
  /** Name of the model in words. Default "this model". */
  name?: string;
};

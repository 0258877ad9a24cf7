/** Settings that change the numbers. */
export type TransformerBlockOptions = {
  /** Part that writes nothing: "attention-0", "mlp-0", "head-0-1" (block 0, head 1). Default "none". */
  removed?: string;
  /** Tokens that are read; of a longer text the last. Default 16. */
  maxTokens?: number;
  /** Name of the model in words. Default "this model". */
  name?: string;
};

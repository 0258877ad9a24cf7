/** One example to train on: a text, or a conversation. */
export type TrainingExample = {
  /** Token ids, `[n]`. */
  readonly ids: ArrayLike<number>;
  /** The target at each token, `[n]`: usually the next token; -100 is ignored by the loss. */
  readonly targets: ArrayLike<number>;
};

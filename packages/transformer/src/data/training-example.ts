/** One example to train on: a text, or a conversation. */
export type TrainingExample = {
  /** Token ids, `[n]`. */
  readonly ids: ArrayLike<number>;
  /** The target at each token, `[n]`: mostly the token after it; -100 counts for nothing. */
  readonly targets: ArrayLike<number>;
};

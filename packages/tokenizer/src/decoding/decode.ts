/** What a decoder can ask of a vocabulary. */
export type TokenNames = {
  /** A token as its file writes it; "" for an id without one. */
  token(id: number): string;
  /** The bytes of a token of a byte-level vocabulary; undefined where the model has none for it. */
  bytes(id: number): Uint8Array | undefined;
};

/** Text from ids that arrive one at a time. What it returns, joined, is what `decode` returns for all of them. */
export type StreamingDecoder = {
  /**
   * The text that `id` completes: none (`""`) while a character still lacks bytes, never half of one.
   *
   * @throws {ArgumentError} If `id` is not in the vocabulary.
   */
  push(id: number): string;
  /** The text that remains: U+FFFD where the last character lacks bytes, else `""`. Ready for a new text then. */
  end(): string;
};

/** The fifth stage, from ids to text. */
export type Decode = {
  readonly name: string;
  /** A decoder for one text. Ids it is given are in the vocabulary. */
  start(tokens: TokenNames): StreamingDecoder;
  /** The text of all ids at once, where that is faster than one at a time. */
  whole?(ids: readonly number[], tokens: TokenNames): string;
  /** How `tokenizer.json` writes it; without it a tokenizer cannot be saved. */
  readonly json?: unknown;
};

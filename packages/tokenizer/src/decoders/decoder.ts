/**
 * Streaming decoder (`DecodeStream` in Hugging Face's library): its results, joined, are what `decode` returns for all
 * ids.
 */
export type DecodeStream = {
  /**
   * The text that `id` completes: none (`""`) while a character still lacks bytes, never half of one.
   *
   * @throws {ArgumentError} If `id` is not in the vocabulary.
   */
  push(id: number): string;
  /**
   * The text that remains: U+FFFD where the last character lacks bytes, else `""`. Resets the stream for a new text.
   */
  end(): string;
};

/** Lookup of tokens by id, for decoders. */
export type TokenLookup = {
  /** A token as in its file; "" for an id without one. */
  token(id: number): string;
  /** The bytes of a token of a byte-level vocabulary; undefined where the model has none for it. */
  bytes(id: number): Uint8Array | undefined;
};

/** The fifth stage, from ids to text. */
export type Decoder = {
  readonly name: string;
  /** A decoder for one text. Ids it is given are in the vocabulary. */
  start(tokens: TokenLookup): DecodeStream;
  /** The text of all ids at once, where that is faster than one at a time. */
  decodeAll?(ids: readonly number[], tokens: TokenLookup): string;
  /** Its entry in `tokenizer.json`; without one the tokenizer cannot be saved. */
  readonly json?: unknown;
};

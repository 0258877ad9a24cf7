/**
 * Streaming decoder (`DecodeStream` in Hugging Face's library): its concatenated results equal `decode` of all
 * ids.
 */
export type DecodeStream = {
  /**
   * The text that `id` completes: `""` while a character is incomplete.
   *
   * @throws {ArgumentError} If `id` is not in the vocabulary.
   */
  push(id: number): string;
  /**
   * The remaining text: U+FFFD for an incomplete last character, else `""`. Resets the stream for a new text.
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
  /** Creates a decoder for one text. Its ids must be in the vocabulary. */
  start(tokens: TokenLookup): DecodeStream;
  /** The text of all ids at once, where that is faster than one at a time. */
  decodeAll?(ids: readonly number[], tokens: TokenLookup): string;
  /** Its entry in `tokenizer.json`; without one the tokenizer cannot be saved. */
  readonly json?: unknown;
};

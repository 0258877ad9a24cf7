/** What every tokenizer of this package is, whatever file or algorithm it came from. */
export type Tokenizer = {
  /** How many tokens there are: ids run from 0 to `vocabSize - 1`. A model's vocabulary has the same size. */
  readonly vocabSize: number;
  /** The token that stands at the beginning of a sequence. */
  readonly bosId: number;
  /** The token that stands at the end of a sequence. */
  readonly eosId: number;
  /**
   * The ids of `text`. A lone surrogate, which no file or network can carry as UTF-8, is read as U+FFFD.
   *
   * @throws {ArgumentError} If `text` is not a string, or the vocabulary has no token for one of its characters.
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * The text of `ids`. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws {ArgumentError} If an id is not in the vocabulary.
   */
  decode(ids: Iterable<number>): string;
  /** A decoder for ids that arrive one at a time. */
  decoder(): StreamingDecoder;
};

export type EncodeOptions = {
  /** Whether `bosId` comes first. Default: true, which is how a model saw its sequences. */
  bos?: boolean;
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

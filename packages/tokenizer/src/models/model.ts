/**
 * The third stage, from a piece of text to tokens. Values of this type come from `byteBpe`, `characterBpe`,
 * `unigram`, `wordPiece` and `wordLevel`; one of your own needs no more than this.
 */
export type Model = {
  /** What a trace calls it. */
  readonly name: string;
  /** One more than the largest id. */
  readonly vocabSize: number;
  /**
   * Appends the ids of `text[start .. end)`, which has no lone surrogates, to `ids`.
   *
   * @param widths - If given, gets for each id how much of the text it stands for. Unit: UTF-8 bytes.
   */
  append(text: string, start: number, end: number, ids: number[], widths?: number[]): void;
  /** A token as its file writes it, or undefined where the id has none. */
  token(id: number): string | undefined;
  /** The bytes of a token, if it is bytes; none for a gap. */
  bytes?(id: number): Uint8Array | undefined;
  /** The id of a token as its file writes it, or undefined. */
  id(token: string): number | undefined;
  /** The id of unknown text, where its token is that text itself: in Unigram models, and in SentencePiece. */
  readonly surfaceId?: number | undefined;
  /** Whether it reads the bytes of a text, so that its tokens are letters that stand for bytes. */
  readonly readsBytes?: boolean;
  /** How the tokens of a piece came to be, where they come by merging: the symbols at first and after each merge. */
  steps?(piece: string): readonly (readonly string[])[];
  /** How `tokenizer.json` writes it; without it a tokenizer cannot be saved. */
  json?(): unknown;
  /** Tokens with scores by id, where merges follow from scores: as SentencePiece's files have them, `▁` for spaces. */
  readonly pieces?: readonly Piece[];
};

/** A token of a SentencePiece file. Types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
export type Piece = { readonly text: string; readonly score: number; readonly type: number };

/**
 * The third stage, from a pre-token to tokens. Values of this type come from `byteBpe`, `characterBpe`,
 * `unigram`, `wordPiece` and `wordLevel`; one of your own needs no more than this.
 */
export type Model = {
  /** Its name in traces. */
  readonly name: string;
  /** One more than the largest id. */
  readonly vocabSize: number;
  /**
   * Appends the ids of `text[start .. end)`, which has no lone surrogates, to `ids`.
   *
   * @param widths - If given, receives the width of each id in the text. Unit: UTF-8 bytes.
   */
  append(text: string, start: number, end: number, ids: number[], widths?: number[]): void;
  /** A token as in its file, or undefined where the id has none. */
  token(id: number): string | undefined;
  /** The bytes of a token, if it is bytes; none for a gap. */
  bytes?(id: number): Uint8Array | undefined;
  /** The id of a token as in its file, or undefined. */
  id(token: string): number | undefined;
  /** The unknown id, where its token is the unknown text itself (the surface): in Unigram models, and in SentencePiece. */
  readonly unknownSurfaceId?: number | undefined;
  /** Encodes the bytes of a text; its tokens are written byte-to-unicode. */
  readonly isByteLevel?: boolean;
  /** For models that merge: the initial symbols of a pre-token, and the symbols after each merge. */
  steps?(piece: string): readonly (readonly string[])[];
  /** Its entry in `tokenizer.json`; without one the tokenizer cannot be saved. */
  json?(): unknown;
  /** Tokens with scores by id, where merges follow from scores: as SentencePiece's files have them, `▁` for spaces. */
  readonly pieces?: readonly Piece[];
};

/** A piece (token) of a SentencePiece file. Types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
export type Piece = { readonly text: string; readonly score: number; readonly type: number };

import type { StreamingDecoder } from "./decoding/decode.js";
import type { Stages } from "./stages.js";

/** What every tokenizer of this package is, whatever file or algorithm it came from. */
export type Tokenizer = {
  /** What it is made of. `composeTokenizer({ ...tokenizer.stages, normalize: [] })` is another one. */
  readonly stages: Stages;
  /** How many ids there are: they run from 0 to `vocabSize - 1`. A model's vocabulary has at least this size. */
  readonly vocabSize: number;
  /** The token that stands at the beginning of a sequence, if there is one. */
  readonly bosId: number | undefined;
  /** The token that stands at the end of a sequence, if there is one. */
  readonly eosId: number | undefined;
  /**
   * The ids of `text`. A lone surrogate, which no file or network can carry as UTF-8, is read as U+FFFD.
   *
   * @throws {ArgumentError} If `text` is not a string, holds a special token that is refused, or the vocabulary has
   *   no token for one of its characters.
   */
  encode(text: string, options?: EncodeOptions): number[];
  /** The ids of `text` with what else is known of each. */
  encoding(text: string, options?: EncodingOptions): Encoding;
  /** How many ids `encode` gives, without making a list of them; counting ends where `limit` is passed. */
  count(text: string, options?: EncodeOptions & { limit?: number }): number;
  /**
   * The text of `ids`. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws {ArgumentError} If an id is not in the vocabulary.
   */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** A decoder for ids that arrive one at a time. */
  decoder(options?: DecodeOptions): StreamingDecoder;
  /** A token as its file writes it (`Ġthe`, `▁the`, `##ing`), or undefined where the id has none. */
  token(id: number): string | undefined;
  /** The id of a token as its file writes it, or undefined. */
  id(token: string): number | undefined;
  /** What each stage makes of `text`, merge by merge: to look at, not to be fast. */
  trace(text: string, options?: EncodeOptions): Trace;
};

export type EncodeOptions = {
  /** Whether the tokens of the template come around the text (`<s>`, `[CLS]`, `[SEP]`). Default: true. */
  addSpecialTokens?: boolean;
  /** The same, by the name of the token that most decoders have as their only one. */
  bos?: boolean;
  /**
   * What the writing of a special token inside the text becomes: `"allowed"` its id, `"ordinary"` text like any
   * other, `"refused"` an error, a list the ids of those and text for the others. Default: what the format's own
   * software does. Take `"ordinary"` or `"refused"` for text of people you do not know.
   */
  specialTokens?: "allowed" | "ordinary" | "refused" | readonly string[];
};

export type EncodingOptions = EncodeOptions & {
  /** A second text, for models that read two: the template says how they are joined. */
  pair?: string;
  /** What offsets count: UTF-16 units, as `text.slice` does, or whole Unicode characters. Default: `"utf16"`. */
  unit?: "utf16" | "codePoint";
};

/** Lists of equal length, one entry for each id. */
export type Encoding = {
  readonly ids: number[];
  /** As the file writes them. Of text that a Unigram or SentencePiece model does not know, that text. */
  readonly tokens: string[];
  /** Where the text of each token starts and ends; `[0, 0]` for those of the template. */
  readonly offsets: (readonly [start: number, end: number])[];
  /** The type that the template gives: 0, or 1 for most second texts. */
  readonly typeIds: number[];
  /** Which text a token is from: 0, 1, or -1 for those of the template. */
  readonly texts: number[];
};

export type DecodeOptions = {
  /** Whether special tokens are left out. Default: true. */
  skipSpecialTokens?: boolean;
};

/** A text on its way to ids: see {@link Tokenizer.trace}. */
export type Trace = {
  readonly text: string;
  /** The parts between which added tokens stand, in order. */
  readonly parts: readonly (
    | { readonly added: string; readonly id: number }
    | { readonly normalized: string; readonly pieces: readonly PieceTrace[] }
  )[];
  readonly ids: readonly number[];
};

export type PieceTrace = {
  readonly piece: string;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** Where tokens come by merging: the symbols at first, and after each merge. */
  readonly steps?: readonly (readonly string[])[];
};

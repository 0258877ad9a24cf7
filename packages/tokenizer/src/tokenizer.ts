import type { DecodeStream } from "./decoders/decoder.js";
import type { Padding } from "./pad.js";
import type { Stages } from "./stages.js";
import type { Truncation } from "./truncate.js";

/** The interface of every tokenizer of this package, whatever its file or algorithm. */
export type Tokenizer = {
  /** Its stages. `composeTokenizer({ ...tokenizer.stages, normalizers: [] })` is another tokenizer. */
  readonly stages: Stages;
  /** Number of ids, which run from 0 to `vocabSize - 1`. A model's vocabulary has at least this size. */
  readonly vocabSize: number;
  /** The id of the beginning-of-sequence token, if there is one. */
  readonly bosId: number | undefined;
  /** The id of the end-of-sequence token, if there is one. */
  readonly eosId: number | undefined;
  /**
   * The ids of `text`. A lone surrogate, which no file or network can carry as UTF-8, is read as U+FFFD.
   *
   * @throws {ArgumentError} If `text` is not a string, holds a special token that is refused, or the vocabulary has
   *   no token for one of its characters.
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * The ids of several texts or pairs of texts, padded to one length and truncated as the options say:
   * `encodeBatch(["a", "longer one"], { padding: true })`.
   *
   * @throws {ArgumentError} If `texts` is not a list of texts, the tokenizer has no token to pad with, or its file has no maximum length
   *   to truncate to.
   */
  encodeBatch(texts: readonly BatchText[], options?: EncodeBatchOptions): EncodedBatch;
  /** The ids of `text` with tokens, offsets and type ids. */
  encoding(text: string, options?: EncodingOptions): Encoding;
  /** Number of ids of `encode`, without making a list; counting stops beyond `limit`. */
  count(text: string, options?: EncodeOptions & { limit?: number }): number;
  /**
   * The text of `ids`. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws {ArgumentError} If an id is not in the vocabulary.
   */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** A decoder for ids that arrive one at a time. */
  decodeStream(options?: DecodeOptions): DecodeStream;
  /** A token as in its file (`Ġthe`, `▁the`, `##ing`), or undefined where the id has none. */
  token(id: number): string | undefined;
  /** The id of a token as in its file, or undefined. */
  id(token: string): number | undefined;
  /** The result of each stage on `text`, merge by merge: for inspection, not fast. */
  trace(text: string, options?: EncodeOptions): Trace;
};

export type EncodeOptions = {
  /** Adds the special tokens of the template (`<s>`, `[CLS]`, `[SEP]`). Default: true. */
  addSpecialTokens?: boolean;
  /** The same, named after the only special token that most decoders add. */
  bos?: boolean;
  /**
   * Handling of special tokens that occur in the text: `"allowed"` gives their ids, `"ordinary"` encodes them as text,
   * `"refused"` throws, a list allows those and encodes others as text. Default: as in the format's reference implementation. Use
   * `"ordinary"` or `"refused"` for untrusted text.
   */
  specialTokens?: "allowed" | "ordinary" | "refused" | readonly string[];
};

/** A text, or the two texts of a pair. */
export type BatchText = string | readonly [text: string, pair: string];

export type EncodeBatchOptions = EncodeOptions & {
  /**
   * Pads all texts to one length; `true` takes all settings from the tokenizer, an object replaces some. Without `padId`, it is that of the
   * file, else that of `[PAD]` or `<pad>`. Default: as in the file, or none.
   */
  padding?: boolean | Partial<Padding>;
  /** Truncates long texts; `true` takes the settings of the file. Default: as in the file, or none. */
  truncation?: boolean | Truncation;
};

/** Several encoded texts. Each list has an entry for each text. With padding, all rows have one length. */
export type EncodedBatch = {
  readonly ids: number[][];
  /** 1 for a token, 0 for padding. */
  readonly attentionMask: number[][];
  /** Type ids of the template: 0, or 1 for most second texts. */
  readonly typeIds: number[][];
  /** Number of tokens without padding. */
  readonly lengths: number[];
};

export type EncodingOptions = EncodeOptions & {
  /** A second text, for models that read pairs: the template joins them. */
  pair?: string;
  /** Unit of offsets: UTF-16 units, as in `text.slice`, or Unicode code points. Default: `"utf16"`. */
  unit?: "utf16" | "codePoint";
};

/** Lists of equal length, one entry for each id. */
export type Encoding = {
  readonly ids: number[];
  /** As in the file. For text that a Unigram or SentencePiece model does not know, that text. */
  readonly tokens: string[];
  /** Start and end of each token in its text; `[0, 0]` for those of the template. */
  readonly offsets: (readonly [start: number, end: number])[];
  /** Type ids of the template: 0, or 1 for most second texts. */
  readonly typeIds: number[];
  /** The text of each token: 0, 1, or -1 for special tokens of the template. */
  readonly sequenceIds: number[];
};

export type DecodeOptions = {
  /** Leaves out special tokens. Default: true. */
  skipSpecialTokens?: boolean;
};

/** The result of {@link Tokenizer.trace}. */
export type Trace = {
  readonly text: string;
  /** Added tokens and the text between them, in order. */
  readonly parts: readonly (
    | { readonly added: string; readonly id: number }
    | { readonly normalized: string; readonly preTokens: readonly PreTokenTrace[] }
  )[];
  readonly ids: readonly number[];
};

export type PreTokenTrace = {
  readonly preToken: string;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** For models that merge: the initial symbols, and the symbols after each merge. */
  readonly steps?: readonly (readonly string[])[];
};

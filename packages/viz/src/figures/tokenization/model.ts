/** Settings that the reader chooses. */
export type TokenizationChoices = {
  view: "merges" | "patches";
  text: string;
  /** Name of the vocabulary, after its training text. "text": trained on the text of the reader. */
  vocabulary: string;
  /** Byte-level language model, whose entropies determine the patches. */
  byteModel: string;
  rule: "threshold" | "rise";
  /** Entropy above which a patch starts. Unit: nats. */
  threshold: number;
  /** Rise of the entropy from one byte to the next above which a patch starts. Unit: nats. */
  rise: number;
};

/** A run of bytes, by offset. `end` is excluded. */
export type Span = { start: number; end: number };

/** A merge of the vocabulary that applies to the text. */
export type AppliedMerge = {
  left: string;
  right: string;
  /** Text and id of the new token. */
  text: string;
  id: number;
  /** Rank in the list of merges, from 1. */
  rank: number;
  /** Spans of the new token. Its right child starts at `middle`. */
  places: readonly (Span & { middle: number })[];
  /** Number of tokens of the text after this merge. */
  tokens: number;
};

/** Numbers of the figure, computed by `@qkv/tokenizer`. Pieces of text are written with ␣ for a space. */
export type TokenizationModel = {
  text: string;
  /** Each character, its code point as U+00E9, and the number of its UTF-8 bytes. */
  characters: readonly { text: string; codePoint: string; bytes: number }[];
  /** UTF-8 bytes of the text, as two hexadecimal digits, with the ids of the single-byte tokens. */
  bytes: readonly { hex: string; id: number }[];
  /** Offset of each pre-token: a word with the space before it. Merges do not cross them. */
  words: readonly number[];
  merges: readonly AppliedMerge[];
  /** Tokens of `encode(text)`. A `part` has incomplete characters, so its text is hexadecimal. */
  tokens: readonly (Span & { text: string; id: number; part: boolean })[];
  vocabulary: { name: string; size: number; merges: number; trainedOn: string };
  /** One sentence in several languages, and its tokens. */
  languages: readonly { name: string; text: string; bytes: number; tokens: number; trained: boolean }[];
  /** Undefined in the view of merges. */
  patches?: {
    /** Entropy of the prediction of each byte. Unit: nats. */
    entropies: readonly number[];
    /** Offset of each patch. */
    starts: readonly number[];
    /** Text of each patch. */
    texts: readonly string[];
    /** Name of the byte-level model in words. */
    madeBy: string;
  };
  offers: {
    vocabulary: readonly { value: string; label: string; title: string }[];
    byteModel: readonly { value: string; label: string; title: string }[];
    texts: readonly { label: string; title?: string; choices: Partial<TokenizationChoices> }[];
  };
};

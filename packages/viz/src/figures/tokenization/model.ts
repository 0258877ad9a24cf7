/** Settings that the reader chooses. */
export type TokenizationChoices = {
  view: "merges" | "patches";
  text: string;
  /** Text that the vocabulary was trained on, by name; "text" is the reader's own. */
  vocabulary: string;
  /** Model of bytes whose entropies cut patches. */
  byteModel: string;
  rule: "threshold" | "rise";
  /** Entropy above which a patch starts. Unit: nats. */
  threshold: number;
  /** Rise of the entropy from one byte to the next above which a patch starts. Unit: nats. */
  rise: number;
};

/** A run of bytes: from the first to the one after its last. */
export type Span = { start: number; end: number };

/** A merge of the vocabulary, applied at each of its places in the text. */
export type AppliedMerge = {
  left: string;
  right: string;
  /** The new token, as the reader sees it, and its id. */
  text: string;
  id: number;
  /** Place in the list of merges, from 1. */
  rank: number;
  /** Its bytes at each place; the right part starts at `middle`. */
  places: readonly (Span & { middle: number })[];
  /** Tokens of the text after it. */
  tokens: number;
};

/** Numbers of the figure: everything is what `@qkv/tokenizer` gives. Pieces of text are written with ␣ for a space. */
export type TokenizationModel = {
  text: string;
  /** Each character, its code point as U+00E9, and the number of its UTF-8 bytes. */
  characters: readonly { text: string; codePoint: string; bytes: number }[];
  /** UTF-8 bytes of the text, each as two hexadecimal digits, and the id of the token that it is alone. */
  bytes: readonly { hex: string; id: number }[];
  /** The first byte of each word that merges stay within, with the space before it. */
  words: readonly number[];
  merges: readonly AppliedMerge[];
  /** Tokens of `encode(text)`. A `part` is not whole characters: its text is hexadecimal. */
  tokens: readonly (Span & { text: string; id: number; part: boolean })[];
  vocabulary: { name: string; size: number; merges: number; trainedOn: string };
  /** One sentence in several languages, and its tokens. */
  languages: readonly { name: string; text: string; bytes: number; tokens: number; trained: boolean }[];
  /** Missing in the view of merges. */
  patches?: {
    /** Entropy of each byte before it is read. Unit: nats. */
    entropies: readonly number[];
    /** The first byte of each patch. */
    starts: readonly number[];
    /** Each patch, as the reader sees it. */
    texts: readonly string[];
    /** Model of bytes in words. */
    madeBy: string;
  };
  offers: {
    vocabulary: readonly { value: string; label: string; title: string }[];
    byteModel: readonly { value: string; label: string; title: string }[];
    texts: readonly { label: string; title?: string; choices: Partial<TokenizationChoices> }[];
  };
};

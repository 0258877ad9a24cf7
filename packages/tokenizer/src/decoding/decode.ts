import type { StreamingDecoder } from "../tokenizer.js";

/** What a decoder can ask of a vocabulary. */
export type TokenNames = {
  /** A token as its file writes it; "" for an id without one. */
  token(id: number): string;
};

/** The fifth stage, from ids to text. */
export type Decode = {
  readonly name: string;
  /** A decoder for one text. Ids it is given are in the vocabulary. */
  start(tokens: TokenNames): StreamingDecoder;
  /** How `tokenizer.json` writes it; without it a tokenizer cannot be saved. */
  readonly json?: unknown;
};

import type { AddedToken } from "./added-tokens.js";
import type { Decoder } from "./decoders/decoder.js";
import type { Model } from "./models/model.js";
import type { Normalizer } from "./normalizers/normalizer.js";
import type { Padding } from "./pad.js";
import type { Split } from "./pre-tokenizers/split.js";
import type { Template } from "./template.js";
import type { Truncation } from "./truncate.js";

/** The five stages of a tokenizer, and its added tokens. */
export type Stages = {
  /** First: normalizers (Unicode forms, lowercase), in this order. Default: none. */
  normalizers?: readonly Normalizer[];
  /** Second: pre-tokenizers, which split the text or normalize it, in this order. Default: one pre-token. */
  preTokenizers?: readonly (Split | Normalizer)[];
  /** Third: encodes a pre-token. */
  model: Model;
  /** Fourth: special tokens around a text. Default: none. */
  postProcessor?: Template;
  /** Truncation of long sequences. Default: none. */
  truncation?: Truncation;
  /** Padding of short sequences. Default: none. */
  padding?: Padding;
  /** Removes the white space of a token from its offsets. Default: off. */
  trimOffsets?: { readonly addedSpace: boolean };
  /** Fifth: decodes ids to text. */
  decoder: Decoder;
  /** Tokens that are found in the text before the first stage, or after it. Default: none. */
  addedTokens?: readonly AddedToken[];
  /** Handling of special tokens inside a text where `encode` gives none. Default: `"allowed"`. */
  specialTokens?: "allowed" | "ordinary";
  bosId?: number | undefined;
  eosId?: number | undefined;
};

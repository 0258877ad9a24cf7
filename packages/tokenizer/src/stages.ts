import type { AddedToken } from "./added-tokens.js";
import type { Decode } from "./decoding/decode.js";
import type { Model } from "./models/model.js";
import type { Padding } from "./pad.js";
import type { Rewrite } from "./rewriting/rewrite.js";
import type { Split } from "./splitting/split.js";
import type { Template } from "./template.js";
import type { Truncation } from "./truncate.js";

/** The five stages, and the tokens that stand outside them. */
export type Stages = {
  /** First: changes the text (Unicode forms, small letters), in this order. Default: nothing. */
  normalize?: readonly Rewrite[];
  /** Second: cuts the text into pieces, or changes them, in this order. Default: one piece. */
  preTokenize?: readonly (Split | Rewrite)[];
  /** Third: turns a piece into tokens. */
  model: Model;
  /** Fourth: what stands around a text. Default: nothing. */
  postProcess?: Template;
  /** How long a sequence may be. Default: as long as it is. */
  truncate?: Truncation;
  /** How a sequence is filled up. Default: not at all. */
  pad?: Padding;
  /** Whether the white space of a token is taken from its offsets. Default: no. */
  trimOffsets?: { readonly addedSpace: boolean };
  /** Fifth: from ids to text. */
  decode: Decode;
  /** Tokens that are found in the text before the first stage, or after it. Default: none. */
  addedTokens?: readonly AddedToken[];
  /** What becomes of special tokens inside a text where `encode` does not say. Default: `"allowed"`. */
  specialTokens?: "allowed" | "ordinary";
  bosId?: number | undefined;
  eosId?: number | undefined;
};

export type { AddedToken } from "./added-tokens.js";
export { byteLevelBpe } from "./byte-level-bpe.js";
export { composeTokenizer, type Stages } from "./compose-tokenizer.js";
export { byteLevelDecode } from "./decoding/byte-level-decode.js";
export type { Decode, TokenNames } from "./decoding/decode.js";
export { llama2cTokenizer } from "./llama2c-tokenizer.js";
export { tiktokenTokenizer, type TiktokenRanks } from "./loading/tiktoken.js";
export { byteBpe, type ByteBpeOptions } from "./models/byte-bpe.js";
export { characterBpe, type CharacterBpeOptions } from "./models/character-bpe.js";
export type { MergePair } from "./models/merge-list.js";
export type { Model } from "./models/model.js";
export type { Vocabulary } from "./models/vocabulary.js";
export { defineRewrite, type Edit, type Rewrite } from "./rewriting/rewrite.js";
export { prepend } from "./rewriting/prepend.js";
export { lowercase } from "./rewriting/unicode-forms.js";
export { gpt2Split } from "./splitting/gpt2-split.js";
export {
  cl100kSplit,
  o200kSplit,
  qwen2Split,
  qwen35Split,
  splitOfPattern,
  tekkenSplit,
} from "./splitting/known-splits.js";
export { patternSplit, textSplit, type MatchBehavior } from "./splitting/pattern-split.js";
export { defineSplit, type Split } from "./splitting/split.js";
export { template, type Template, type TemplateItem } from "./template.js";
export type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  EncodingOptions,
  PieceTrace,
  StreamingDecoder,
  Tokenizer,
  Trace,
} from "./tokenizer.js";

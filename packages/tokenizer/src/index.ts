export { addedTokenFinder, type AddedToken, type FoundToken } from "./added-tokens.js";
export { byteLevelBpe } from "./byte-level-bpe.js";
export { composeTokenizer } from "./compose-tokenizer.js";
export { byteLevelDecode } from "./decoding/byte-level-decode.js";
export type { Decode, StreamingDecoder, TokenNames } from "./decoding/decode.js";
export {
  byteFallbackStep,
  byteLevelStep,
  ctcStep,
  decodeSteps,
  fuseStep,
  metaspaceStep,
  replaceStep,
  spacedStep,
  stripStep,
  suffixStep,
  wordPieceStep,
  type DecodeStep,
  type StepAtWork,
} from "./decoding/decode-steps.js";
export { llama2cTokenizer } from "./llama2c-tokenizer.js";
export { ggufTokenizer } from "./loading/gguf.js";
export { loadTokenizer } from "./loading/load-tokenizer.js";
export { composeSentencePiece, sentencePieceTokenizer } from "./loading/sentencepiece.js";
export type { SentencePieceModel, SentencePieceSettings } from "./loading/sentencepiece-model.js";
export { tiktokenTokenizer, type TiktokenRanks } from "./loading/tiktoken.js";
export { tokenizerFromJson } from "./loading/tokenizer-json/tokenizer-json.js";
export { bertTokenizer, gpt2Tokenizer } from "./loading/vocab-files.js";
export { byteBpe, type ByteBpeOptions } from "./models/byte-bpe.js";
export { characterBpe, type CharacterBpeOptions } from "./models/character-bpe.js";
export type { MergePair } from "./models/merge-list.js";
export type { Model, Piece } from "./models/model.js";
export { unigram, type UnigramOptions } from "./models/unigram.js";
export type { Vocabulary } from "./models/vocabulary.js";
export { wordLevel } from "./models/word-level.js";
export { wordPiece, type WordPieceOptions } from "./models/word-piece.js";
export { pad, type Padding } from "./pad.js";
export { bertRewrites, type BertRewriteOptions } from "./rewriting/bert-rewrite.js";
export { lowercase } from "./rewriting/lowercase.js";
export { nmt } from "./rewriting/nmt.js";
export { prepend } from "./rewriting/prepend.js";
export { replacePattern, replaceText } from "./rewriting/replace.js";
export { byCharacter, defineRewrite, type Edit, type Rewrite } from "./rewriting/rewrite.js";
export { stripAccents } from "./rewriting/strip-accents.js";
export { stripEnds } from "./rewriting/strip-ends.js";
export { nfc, nfd, nfkc, nfkd } from "./rewriting/unicode-forms.js";
export { tokenizerToGguf } from "./saving/tokenizer-to-gguf.js";
export { tokenizerToJson } from "./saving/tokenizer-to-json.js";
export { gpt2Split } from "./splitting/gpt2-split.js";
export {
  cl100kSplit,
  o200kSplit,
  qwen2Split,
  qwen35Split,
  splitOfPattern,
  tekkenSplit,
} from "./splitting/known-splits.js";
export { metaspace, type MetaspaceOptions } from "./splitting/metaspace.js";
export { patternSplit, textSplit, type MatchBehavior } from "./splitting/pattern-split.js";
export {
  bertSplit,
  digitsSplit,
  fixedLengthSplit,
  punctuationSplit,
  whitespaceSplit,
} from "./splitting/simple-splits.js";
export { defineSplit, type Split } from "./splitting/split.js";
export type { Stages } from "./stages.js";
export { template, type Template, type TemplateItem } from "./template.js";
export type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  EncodingOptions,
  PieceTrace,
  Tokenizer,
  Trace,
} from "./tokenizer.js";
export type { Truncation } from "./truncate.js";

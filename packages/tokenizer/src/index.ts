export { addedTokenFinder, type AddedToken, type FoundToken } from "./added-tokens.js";
export { byteLevelBpe } from "./byte-level-bpe.js";
export { composeTokenizer } from "./compose-tokenizer.js";
export { byteLevelDecoder } from "./decoders/byte-level-decoder.js";
export type { Decoder, DecodeStream, TokenLookup } from "./decoders/decoder.js";
export {
  byteFallbackStep,
  byteLevelStep,
  ctcStep,
  decodeSteps,
  fuseStep,
  metaspaceStep,
  replaceStep,
  joinWithSpacesStep,
  stripStep,
  wordSuffixStep,
  wordPieceStep,
  type DecodeStep,
  type DecodeStepState,
} from "./decoders/decode-steps.js";
export { llama2cTokenizer } from "./llama2c-tokenizer.js";
export { ggufTokenizer } from "./loading/gguf.js";
export { loadTokenizer } from "./loading/load-tokenizer.js";
export { readTokenizerFiles } from "./loading/read-tokenizer-files.js";
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
export { bertNormalizers, type BertNormalizerOptions } from "./normalizers/bert-normalizer.js";
export { lowercase } from "./normalizers/lowercase.js";
export { nmt } from "./normalizers/nmt.js";
export { prepend } from "./normalizers/prepend.js";
export { replacePattern, replaceText } from "./normalizers/replace.js";
export {
  characterNormalizer,
  defineNormalizer,
  type Edit,
  type Normalizer,
} from "./normalizers/normalizer.js";
export { stripAccents } from "./normalizers/strip-accents.js";
export { stripEnds } from "./normalizers/strip-ends.js";
export { nfc, nfd, nfkc, nfkd } from "./normalizers/unicode-forms.js";
export { tokenizerToGguf } from "./saving/tokenizer-to-gguf.js";
export { tokenizerToJson } from "./saving/tokenizer-to-json.js";
export { gpt2Split } from "./pre-tokenizers/gpt2-split.js";
export {
  cl100kSplit,
  o200kSplit,
  qwen2Split,
  qwen35Split,
  splitFromPattern,
  tekkenSplit,
} from "./pre-tokenizers/known-splits.js";
export { metaspace, type MetaspaceOptions } from "./pre-tokenizers/metaspace.js";
export { patternSplit, textSplit, type SplitBehavior } from "./pre-tokenizers/pattern-split.js";
export {
  bertSplit,
  digitsSplit,
  fixedLengthSplit,
  punctuationSplit,
  whitespaceSplit,
} from "./pre-tokenizers/simple-splits.js";
export { defineSplit, type Split } from "./pre-tokenizers/split.js";
export type { Stages } from "./stages.js";
export { template, type Template, type TemplateItem } from "./template.js";
export type {
  BatchText,
  DecodeOptions,
  EncodeBatchOptions,
  EncodedBatch,
  EncodeOptions,
  Encoding,
  EncodingOptions,
  PreTokenTrace,
  Tokenizer,
  Trace,
} from "./tokenizer.js";
export type { Truncation } from "./truncate.js";

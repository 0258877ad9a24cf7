/** Logits processors: changes of the scores of the next token, which `generate`, `generateBatch` and `beamSearch` take. */
export { epsilonCutoff, etaCutoff } from "./generation/processors/epsilon-cutoff.js";
export { exponentialDecayLength } from "./generation/processors/exponential-decay-length.js";
export { forcedBos, forcedEos } from "./generation/processors/forced-tokens.js";
export {
  processLogits,
  type LogitsProcessor,
  type ProcessedSequence,
} from "./generation/processors/logits-processor.js";
export { minLength, minNewTokens } from "./generation/processors/min-length.js";
export { minP } from "./generation/processors/min-p.js";
export type { TruncationOptions } from "./generation/processors/min-tokens-to-keep.js";
export { encoderNoRepeatNgram, noRepeatNgram } from "./generation/processors/no-repeat-ngram.js";
export { normalizeLogits } from "./generation/processors/normalize-logits.js";
export { encoderRepetitionPenalty, repetitionPenalty } from "./generation/processors/repetition-penalty.js";
export { badWords, sequenceBias, type SequenceBias } from "./generation/processors/sequence-bias.js";
export { suppressTokens, suppressTokensAtBegin } from "./generation/processors/suppress-tokens.js";
export { timestampRules, type TimestampRulesOptions } from "./generation/processors/timestamps.js";
export { temperature } from "./generation/processors/temperature.js";
export { topH } from "./generation/processors/top-h.js";
export { topK } from "./generation/processors/top-k.js";
export { topP } from "./generation/processors/top-p.js";
export { typicalP } from "./generation/processors/typical-p.js";

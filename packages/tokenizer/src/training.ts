export { countWords, type CountOptions } from "./training/count-words.js";
export { learnMerges, type LearnedMerge } from "./training/learn-merges.js";
export { sampleTexts } from "./training/sample-texts.js";
export { textChunks } from "./training/text-chunks.js";
export {
  trainBpe,
  type TrainBpeOptions,
  type TrainBpeProgress,
  type TrainedBpe,
} from "./training/train-bpe.js";
export { trainByteNgrams, type TrainByteNgramsOptions } from "./training/train-byte-ngrams.js";
export { trainedBpeToJson } from "./training/trained-bpe-to-json.js";

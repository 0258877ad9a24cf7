/** Training data: examples from texts and conversations, packed into batches, from memory or from a stream. */
export { answerExample, type AnswerOptions } from "./data/answer-example.js";
export {
  batchStream,
  type BatchStream,
  type BatchStreamOptions,
  type BatchStreamState,
} from "./data/batch-stream.js";
export { jsonLines, type ByteStream, type JsonLinesOptions } from "./data/json-lines.js";
export { packedBatches, type PackedBatchesOptions } from "./data/packed-batches.js";
export { packedEpoch } from "./data/packed-epoch.js";
export type { PackedBatch } from "./data/packed-batch.js";
export {
  parquetRows,
  type ParquetFile,
  type ParquetReader,
  type ParquetRowsOptions,
} from "./data/parquet-rows.js";
export {
  preferenceBatches,
  type PreferenceBatchesOptions,
  type PreferencePair,
} from "./data/preference-batches.js";
export { textExample } from "./data/text-example.js";
export type { TrainingExample } from "./data/training-example.js";

import { checks } from "@qkv/core";
import { permutation } from "@qkv/tensor";
import { batchNames, type BatchOptions } from "../training/next-token-batches.js";
import { checkExample } from "./check-example.js";
import { packRows, type Piece } from "./pack-rows.js";
import { packedBatch, type PackedBatch } from "./packed-batch.js";
import type { TrainingExample } from "./training-example.js";

/** Options of packed batches. */
export type PackedBatchesOptions = BatchOptions;

/**
 * Packs several examples into each row of a batch; they do not attend to each other. Every epoch has all examples once, in a
 * different order. A step always has the same batch, so that a resumed run equals an uninterrupted one.
 *
 * Attention skips tiles between two examples: the cost of a row is the sum of the squared lengths of its examples.
 *
 * @param examples - Examples longer than `contextLength` are cut into pieces. They are held by reference, not copied.
 * @returns `batchAt` for `train`; `tokenLoss` reads the documents and positions of its batches.
 * @throws {ArgumentError} If there is no example with a target.
 * @see "Efficient Sequence Packing without Cross-contamination" (2021), arXiv:2107.02027
 *
 * @example
 * ```ts
 * import { packedBatches, textExample } from "@qkv/transformer/data";
 *
 * const examples = [textExample([5, 6, 7]), textExample([8, 9, 10])];
 * const batch = packedBatches(examples, { batchSize: 1, contextLength: 4, seed: 2 })(0);
 * batch.targets.toNested(); // => [[6, 7, 9, 10]]
 * [...batch.documents[0]!]; // => [0, 0, 1, 1]
 * ```
 */
export function packedBatches(
  examples: readonly TrainingExample[],
  options: PackedBatchesOptions,
): (step: number) => PackedBatch {
  const check = checks("packedBatches");
  const { batchSize, contextLength, seed, device } = check.options(options, [...batchNames, "seed"]);
  check.whole({ batchSize, contextLength }, { min: 1 });
  check.whole({ seed });
  check.list({ examples }, "examples");
  examples.forEach((example, n) => checkExample(check, `examples[${n}]`, example));
  const packEpoch = (epoch: number) =>
    packRows(
      Array.from(permutation(examples.length, { seed, draw: epoch }).data, (n) => examples[n]!),
      contextLength,
    );
  // Epochs differ in their number of rows, so the first row of an epoch is known after the earlier epochs have been packed.
  const firstRows = [0];
  let latest: { epoch: number; rows: Piece[][] } | undefined;
  const epochRows = (epoch: number): Piece[][] => {
    if (latest?.epoch !== epoch) latest = { epoch, rows: packEpoch(epoch) };
    firstRows[epoch + 1] = firstRows[epoch]! + latest.rows.length;
    return latest.rows;
  };
  if (epochRows(0).length === 0) {
    check.refuse({
      argument: "examples",
      received: `${examples.length} examples without a target`,
      expected: "an example with a target, which is 0 or more",
      fix: "give texts of two tokens or more, or conversations with an answer.",
    });
  }
  const rowAt = (row: number): Piece[] => {
    let epoch = firstRows.findLastIndex((first) => first <= row);
    // After the epochs that have been packed so far.
    while (row >= firstRows[epoch]! + epochRows(epoch).length) epoch += 1;
    return epochRows(epoch)[row - firstRows[epoch]!]!;
  };
  return (step) => {
    check.whole({ step }, { min: 0 });
    const rows = Array.from({ length: batchSize }, (_, b) => rowAt(step * batchSize + b));
    return packedBatch(rows, contextLength, device);
  };
}

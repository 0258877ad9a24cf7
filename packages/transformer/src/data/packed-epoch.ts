import { checks } from "@qkv/core";
import { batchNames, type BatchOptions } from "../training/next-token-batches.js";
import { checkExample } from "./check-example.js";
import { packRows } from "./pack-rows.js";
import { packedBatch, type PackedBatch } from "./packed-batch.js";
import type { TrainingExample } from "./training-example.js";

/**
 * Packs all examples into batches once, for evaluation of held-out examples by `meanLoss`. The last batch may have fewer rows.
 *
 * @param examples - Examples longer than `contextLength` are cut into pieces.
 *
 * @example
 * ```ts
 * import { packedEpoch, textExample } from "@qkv/transformer/data";
 *
 * const examples = [textExample([5, 6, 7]), textExample([8, 9])];
 * const batches = [...packedEpoch(examples, { batchSize: 8, contextLength: 4 })];
 * batches.map(({ targets }) => targets.toNested()); // => [[[6, 7, 9, -100]]]
 * ```
 */
export function* packedEpoch(
  examples: readonly TrainingExample[],
  options: Omit<BatchOptions, "seed">,
): Generator<PackedBatch> {
  const check = checks("packedEpoch");
  const { batchSize, contextLength, device } = check.options(options, batchNames);
  check.whole({ batchSize, contextLength }, { min: 1 });
  check.list({ examples }, "examples");
  examples.forEach((example, n) => checkExample(check, `examples[${n}]`, example));
  const rows = packRows(examples, contextLength);
  for (let first = 0; first < rows.length; first += batchSize)
    yield packedBatch(rows.slice(first, first + batchSize), contextLength, device);
}

import { checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";
import { batchNames, checkText, type BatchOptions } from "./next-token-batches.js";

/**
 * Splits a text into consecutive chunks, in which each token except the first is a target once, for evaluation on a held-out text.
 *
 * @param ids - The text as token ids, two of them or more.
 *
 * @example
 * ```ts
 * import { textBatches } from "@qkv/transformer/training";
 *
 * const batches = [...textBatches([5, 6, 7, 8], { batchSize: 8, contextLength: 2 })];
 * batches.map(({ targets }) => targets.toNested()); // => [[[6, 7], [8, -100]]]
 * ```
 */
export function* textBatches(ids: ArrayLike<number>, options: Omit<BatchOptions, "seed">): Generator<Batch> {
  const check = checks("textBatches");
  const { batchSize, contextLength: T, device } = check.options(options, batchNames);
  check.whole({ batchSize, contextLength: T }, { min: 1 });
  const text = checkText(check, ids, 2);
  const rows = Math.ceil((text.length - 1) / T);
  for (let first = 0; first < rows; first += batchSize) {
    const B = Math.min(batchSize, rows - first);
    const [inputs, targets] = [new Int32Array(B * T), new Int32Array(B * T).fill(-100)];
    const start = first * T;
    inputs.set(text.subarray(start, Math.min(start + B * T, text.length - 1)));
    targets.set(text.subarray(start + 1, start + 1 + B * T));
    const idTensor = (values: Int32Array) =>
      tensor(values, { shape: [B, T], dtype: "int32", ...(device && { device }) });
    yield { ids: idTensor(inputs), targets: idTensor(targets) };
  }
}

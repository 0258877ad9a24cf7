import { checks } from "@qkv/core";
import { tensor, uniform, type Device } from "@qkv/tensor";
import type { BatchAt } from "../training/batch.js";

/** Options of the task of sorting. */
export type SortOptions = {
  /** N, numbers per list. Default 8. */
  length?: number;
  /** Number of possible values: 0 to `numValues - 1`. Default 32. */
  numValues?: number;
  /** B. Default 64. */
  batchSize?: number;
  /** Integer; another seed draws other lists. */
  seed: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/**
 * Lists of numbers, a separator, and the same numbers in order: `7 2 9 | 2 7`, whose targets from the separator on are `2 7 9`. The id of
 * the separator is `numValues`. The numbers of a list differ.
 *
 * @returns `batchAt` for `train`: ids and targets `[B, 2 · length]`. The same step gives the same batch.
 * @throws {ArgumentError} If there are fewer values than a list has numbers.
 *
 * @example
 * ```ts
 * import { sortBatches } from "@qkv/transformer/tasks";
 *
 * const { ids, targets } = sortBatches({ length: 2, numValues: 9, batchSize: 1, seed: 1 })(0);
 * const [a, b, separator, smaller] = ids.data;
 * [separator, smaller === Math.min(a!, b!)]; // => [9, true]
 * String(targets.data) === String([-100, -100, Math.min(a!, b!), Math.max(a!, b!)]); // => true
 * ```
 */
export function sortBatches(options: SortOptions): BatchAt {
  const check = checks("sortBatches");
  const names = ["length", "numValues", "batchSize", "seed", "device"] as const;
  const given = check.options(options, names);
  const { length = 8, numValues = 32, batchSize: B = 64, seed, device } = given;
  check.whole({ length }, { min: 1, unit: "elements" });
  check.whole({ numValues }, { min: length, fix: "give as many values as a list has numbers, or more." });
  check.whole({ batchSize: B }, { min: 1 });
  check.whole({ seed });
  const T = 2 * length;
  const idTensor = (rows: Int32Array) =>
    tensor(rows, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return (step) => {
    const { data } = uniform([B, length], { seed, draw: step, dtype: "float64" });
    const [ids, targets] = [new Int32Array(B * T), new Int32Array(B * T).fill(-100)];
    for (let b = 0; b < B; b++) {
      const digitDraws = data.subarray(b * length, (b + 1) * length);
      const values = Int32Array.from({ length: numValues }, (_, value) => value);
      // Fisher–Yates shuffle.
      digitDraws.forEach((x, n) => {
        const other = n + Math.floor(x * (numValues - n));
        [values[n], values[other]] = [values[other]!, values[n]!];
      });
      const list = values.slice(0, length);
      const sorted = list.toSorted();
      ids.set([...list, numValues, ...sorted.subarray(0, length - 1)], b * T);
      targets.set(sorted, b * T + length);
    }
    return { ids: idTensor(ids), targets: idTensor(targets) };
  };
}

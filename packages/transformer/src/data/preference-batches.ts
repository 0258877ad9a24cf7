import { checks } from "@qkv/core";
import { permutation, tensor, type Device } from "@qkv/tensor";
import type { Batch } from "../training/batch.js";
import { checkExample } from "./check-example.js";
import type { TrainingExample } from "./training-example.js";

/** Two answers to the same prompt. Only tokens of the answers are targets: create both with `answerExample`. */
export type PreferencePair = { readonly chosen: TrainingExample; readonly rejected: TrainingExample };

/** Options of batches of preferences. */
export type PreferenceBatchesOptions = {
  /** Pairs of a batch. */
  batchSize: number;
  /** Integer; another seed draws another order. */
  seed: number;
  /** Maximum length of an answer with its prompt; the rest is cut. Unit: tokens. Default: no limit. */
  maxTokens?: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/**
 * Creates batches of answer pairs for `preferenceLoss`: the chosen answers, then the rejected ones in the same order, padded to
 * the longest. Every epoch has all pairs once, in an order of its own. A step always has the same batch.
 *
 * @returns `batchAt` for `train`: ids and targets `[2 · batchSize, T]`.
 * @throws {ArgumentError} If there are fewer pairs than a batch has.
 *
 * @example
 * ```ts
 * import { preferenceBatches } from "@qkv/transformer/data";
 *
 * const [chosen, rejected] = [{ ids: [1, 2], targets: [-100, 3] }, { ids: [1], targets: [4] }];
 * const { ids, targets } = preferenceBatches([{ chosen, rejected }], { batchSize: 1, seed: 1 })(0);
 * [ids.toNested(), targets.toNested()]; // => [[[1, 2], [1, 0]], [[-100, 3], [4, -100]]]
 * ```
 */
export function preferenceBatches(
  pairs: readonly PreferencePair[],
  options: PreferenceBatchesOptions,
): (step: number) => Batch {
  const check = checks("preferenceBatches");
  const names = ["batchSize", "seed", "maxTokens", "device"] as const;
  const { batchSize, seed, maxTokens = Infinity, device } = check.options(options, names);
  check.whole({ batchSize }, { min: 1 });
  check.whole({ seed });
  if (maxTokens !== Infinity) check.whole({ maxTokens }, { min: 1, unit: "tokens" });
  check.list({ pairs }, "pairs { chosen, rejected }");
  pairs.forEach((pair, n) => {
    checkExample(check, `pairs[${n}].chosen`, pair?.chosen);
    checkExample(check, `pairs[${n}].rejected`, pair?.rejected);
  });
  if (pairs.length < batchSize) {
    check.refuse({
      argument: "pairs",
      received: `${pairs.length} pairs`,
      expected: `${batchSize} or more, as a batch has`,
      fix: "give more pairs, or a smaller batchSize.",
    });
  }
  const perEpoch = Math.floor(pairs.length / batchSize);
  return (step) => {
    check.whole({ step }, { min: 0 });
    const order = permutation(pairs.length, { seed, draw: Math.floor(step / perEpoch) }).data;
    const first = (step % perEpoch) * batchSize;
    const batchPairs = Array.from({ length: batchSize }, (_, b) => pairs[order[first + b]!]!);
    const rows = [...batchPairs.map(({ chosen }) => chosen), ...batchPairs.map(({ rejected }) => rejected)];
    const T = Math.min(maxTokens, Math.max(...rows.map(({ ids }) => ids.length)));
    const [ids, targets] = [new Int32Array(rows.length * T), new Int32Array(rows.length * T).fill(-100)];
    rows.forEach((row, b) => {
      for (let t = 0; t < Math.min(T, row.ids.length); t++) {
        ids[b * T + t] = row.ids[t]!;
        targets[b * T + t] = row.targets[t]!;
      }
    });
    const idTensor = (values: Int32Array) =>
      tensor(values, { shape: [rows.length, T], dtype: "int32", ...(device && { device }) });
    return { ids: idTensor(ids), targets: idTensor(targets) };
  };
}

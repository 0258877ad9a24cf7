import { checks } from "@qkv/core";
import { tensor, uniform, type Device } from "@qkv/tensor";
import type { BatchAt } from "../training/batch.js";

/** Options of the task of repeated tokens. */
export type RepeatOptions = {
  /** V. Default 32. */
  vocabSize?: number;
  /** T, tokens per row. Default 32. */
  contextLength?: number;
  /** Minimum period; the maximum is T / 2. Unit: tokens. Default T / 4. */
  minPeriod?: number;
  /** B. Default 16. */
  batchSize?: number;
  /** An integer: another seed gives other rows. */
  seed: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/**
 * Batches of repeated random tokens: a row starts with `minPeriod` to T / 2 different tokens, and repeats them
 * in the same order. Targets are the predictable tokens: those after a token that has occurred before.
 *
 * Periods differ between rows, so that no fixed distance gives the answer. The task needs two layers: a
 * previous-token head, and an induction head in a later layer.
 *
 * @returns `batchAt` for `train`. The same step gives the same batch.
 * @throws {ArgumentError} If a row cannot repeat within T tokens, or the vocabulary has fewer than T / 2 tokens.
 * @see "In-context Learning and Induction Heads" (2022), arXiv:2209.11895
 *
 * @example
 * ```ts
 * import { repeatBatches } from "@qkv/transformer/tasks";
 *
 * const { ids, targets } = repeatBatches({ vocabSize: 9, contextLength: 6, minPeriod: 3, batchSize: 1, seed: 1 })(0);
 * const [a, b, c] = ids.data;
 * String(ids.data) === String([a, b, c, a, b, c]); // => true
 * String(targets.data) === String([-100, -100, -100, b, c, a]); // => true
 * ```
 */
export function repeatBatches(options: RepeatOptions): BatchAt {
  const check = checks("repeatBatches");
  const names = ["vocabSize", "contextLength", "minPeriod", "batchSize", "seed", "device"] as const;
  const {
    vocabSize: V = 32,
    contextLength: T = 32,
    batchSize: B = 16,
    seed,
    device,
    ...given
  } = check.options(options, names);
  check.whole({ contextLength: T }, { min: 2, unit: "tokens" });
  const maxPeriod = Math.floor(T / 2);
  const { minPeriod = Math.max(1, Math.floor(T / 4)) } = given;
  check.whole({ batchSize: B }, { min: 1 });
  check.whole(
    { vocabSize: V },
    {
      min: maxPeriod,
      fix: `give ${maxPeriod} tokens or more, as a row has no token twice before it repeats.`,
    },
  );
  check.whole({ minPeriod }, { min: 1, max: maxPeriod, unit: "tokens" });
  check.whole({ seed });
  const idTensor = (rows: Int32Array) =>
    tensor(rows, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return (step) => {
    const [ids, targets] = [new Int32Array(B * T), new Int32Array(B * T).fill(-100)];
    const draws = uniform([B, maxPeriod + 1], { seed, draw: step, dtype: "float64" }).data;
    for (let b = 0; b < B; b++) {
      const [periodDraw, ...tokenDraws] = draws.subarray(
        b * (maxPeriod + 1),
        (b + 1) * (maxPeriod + 1),
      ) as unknown as number[];
      const period = minPeriod + Math.floor(periodDraw! * (maxPeriod - minPeriod + 1));
      const tokens = Array.from({ length: V }, (_, id) => id);
      // Fisher–Yates shuffle.
      for (let n = 0; n < period; n++) {
        const other = n + Math.floor(tokenDraws[n]! * (V - n));
        [tokens[n], tokens[other]] = [tokens[other]!, tokens[n]!];
      }
      for (let t = 0; t < T; t++) {
        ids[b * T + t] = tokens[t % period]!;
        if (t >= period) targets[b * T + t] = tokens[(t + 1) % period]!;
      }
    }
    return { ids: idTensor(ids), targets: idTensor(targets) };
  };
}

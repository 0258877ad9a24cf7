import { checks, type Checks } from "@qkv/core";
import { logSigmoid, mean, mul, neg, slice, stopGradient, sub } from "@qkv/tensor";
import type { Batch } from "./batch.js";
import { checkBatch, type BatchLoss } from "./batch-loss.js";
import { batchLogits, checkTokenModel, type TokenModel } from "./losses.js";
import { sequenceLogProbs } from "./sequence-log-probs.js";

/** Options of direct preference optimization. */
export type PreferenceLossOptions<P> = {
  /** Params of the reference model: a copy of the initial params, `mapTensors(params, clone)`. They are not changed. */
  reference: P;
  /** β: larger values keep the model closer to the reference. Default 0.1. */
  beta?: number;
};

/**
 * Direct preference optimization (DPO): increases the probability of a chosen answer over that of a rejected one, relative to
 * the reference model. `−log σ(β ((log π(chosen) − log π₀(chosen)) − (log π(rejected) − log π₀(rejected))))`, the mean over
 * pairs. There is no dropout, as in TRL.
 *
 * @param model - The model, which is used with the params of the reference too.
 * @returns `(params, batch) => loss`, for `train` with the batches of `preferenceBatches`.
 * @throws {ShapeError} If a batch does not have an even number of rows.
 * @see "Direct Preference Optimization" (2023), arXiv:2305.18290
 *
 * @example
 * ```ts
 * import { embedding, randn } from "@qkv/tensor";
 * import { preferenceBatches } from "@qkv/transformer/data";
 * import { preferenceLoss } from "@qkv/transformer/training";
 *
 * const params = { table: randn([9, 9], { seed: 1 }) };
 * const bigram = { apply: (p: typeof params, ids: Parameters<typeof embedding>[1]) => embedding(p.table, ids) };
 * const [chosen, rejected] = [{ ids: [1], targets: [2] }, { ids: [1], targets: [3] }];
 * const batch = preferenceBatches([{ chosen, rejected }], { batchSize: 1, seed: 1 })(0);
 * preferenceLoss(bigram, { reference: params })(params, batch).toNested(); // => 0.6931
 * ```
 */
export function preferenceLoss<P>(model: TokenModel<P>, options: PreferenceLossOptions<P>): BatchLoss<P> {
  const check: Checks = checks("preferenceLoss");
  const { reference, beta = 0.1 } = check.options(options, ["reference", "beta"]);
  checkTokenModel(check, model);
  check.finite({ beta }, { above: 0 });
  const isTree = (value: unknown) => typeof value === "object" && value !== null;
  check.each(
    { reference },
    isTree,
    "params",
    "give a copy from before training: `mapTensors(params, clone)`.",
  );
  const loss = (params: P, batch: Batch) => {
    const rows = checkBatch(check, batch).ids.shape[0]!;
    if (rows % 2 !== 0) {
      check.refuse({
        argument: "batch.ids",
        received: `${rows} rows`,
        expected: "an even number: the chosen answers, then the rejected ones",
        fix: "use the batches of `preferenceBatches`.",
      });
    }
    const logProbs = (p: P) => sequenceLogProbs(batchLogits(model, p, batch), batch.targets); // [2 B]
    const gain = sub(logProbs(params), stopGradient(logProbs(reference)));
    const margin = sub(slice(gain, 0, 0, rows / 2), slice(gain, 0, rows / 2)); // [B]
    return neg(mean(logSigmoid(mul(margin, beta))));
  };
  return Object.assign(loss, { count: (batch: Batch) => checkBatch(check, batch).ids.shape[0]! / 2 });
}
